"""The tokens that a wallet signs to get a key of its own."""

import base64
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field

TOKEN_SECONDS = 900


@dataclass
class Tokens:
    """The tokens that wallets were given to sign, and until when each is good."""

    waiting: dict[str, float] = field(default_factory=dict)

    def give(self) -> str:
        """A new token, in the form of a JWT."""
        expires = int(time.time()) + TOKEN_SECONDS
        parts = [{"alg": "HS256", "typ": "JWT"}, {"jti": str(uuid.uuid4()), "exp": expires}]
        coded = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in parts
        ]
        token = ".".join([*coded, secrets.token_urlsafe(32)])
        self.waiting[token] = expires
        return token

    def take(self, token: str) -> bool:
        """Whether a token is good; it is so once."""
        return self.waiting.pop(token, 0) > time.time()
