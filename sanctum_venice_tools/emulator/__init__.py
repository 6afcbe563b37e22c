"""The local Venice: a stand-in for api.venice.ai on loopback."""
