"""Send requests as plainly as httpx can, and read their replies: no more than any program must do.

It is run as a program of its own, which gets by standard input a JSON list of requests as the local
Venice's log has them. VENICE_BASE_URL and VENICE_API_KEY say where they go.
"""

import json
import os
import sys

import httpx


def main() -> None:
    """Send one request after the other, over one client."""
    headers = {"Authorization": f"Bearer {os.environ['VENICE_API_KEY']}"}
    with httpx.Client(
        base_url=os.environ["VENICE_BASE_URL"], headers=headers, timeout=120
    ) as client:
        for sent in json.load(sys.stdin):
            query = sent["query"] or None
            reply = client.request(sent["method"], sent["path"], params=query, json=sent["body"])
            reply.raise_for_status()
            if reply.headers["content-type"] == "application/json":
                reply.json()


if __name__ == "__main__":
    main()
