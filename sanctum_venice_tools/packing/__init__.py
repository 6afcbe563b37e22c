"""From an authored tool to what Letta stores."""
