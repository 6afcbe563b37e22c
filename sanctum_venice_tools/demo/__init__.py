"""Conversations in which an agent uses the tools, shown as they happen."""
