"""One file is one tool; this folder's listing is the registry."""
