"""Venice (venice.ai) as tools for Letta agents."""
