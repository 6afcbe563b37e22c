"""The media server: what agents make lies here, for people to see and for other tools to use."""
