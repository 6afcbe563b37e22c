"""Other ways to the same tools: each runs the text that a Letta server would store."""
