"""The web of the local Venice: a dozen invented pages, found by the words of a question."""

import functools
import html
import json
import re
from importlib.resources import files
from typing import Any

Page = dict[str, str]

COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        a about also an and any are as at be been but by can come did do does for from get had has
        have how i in into is it its like live make me more most my not of on one or our please so
        some such tell than that the their them then there these they this to up us was way we were
        what when where which who why will with work would you your
        """,
    )
)
URL = re.compile(r"https?://[^\s<>\"')\]]+")


@functools.cache
def pages() -> list[Page]:
    """All pages that there are."""
    return list(json.loads(files(__package__).joinpath("web_pages.json").read_bytes()))


def plain(text: str) -> str:
    """A page's text without markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def words(text: str) -> set[str]:
    """The words of a text that mean something, in the singular as far as an ending shows it."""
    found = (word for word in re.findall(r"[^\W_]+", text.lower()) if word not in COMMON)
    return {re.sub(r"(?<=[xs])es$|(?<=\w\w)s$|(?<=\w\w)'s$", "", word) for word in found}


def search(question: str, limit: int = 3) -> list[Page]:
    """The pages that share most words with a question, best first."""
    wanted = words(question)
    scored = []
    for place, page in enumerate(pages()):
        title = words(page["title"])
        score = 3 * len(wanted & title) + len(wanted & words(plain(page["content"])))
        scored.append((-score, place, page))
    best = sorted(scored, key=lambda entry: entry[:2])
    enough = max(2, -best[0][0] / 3)
    return [page for score, _, page in best[:limit] if -score >= enough]


def links(text: str) -> list[str]:
    """The addresses that stand in a text, at most five."""
    return [address.rstrip(".,;:!?") for address in URL.findall(text)][:5]


def read(addresses: list[str]) -> list[Page]:
    """The pages of some addresses, as far as there are any."""
    return [page for page in pages() if page["url"] in addresses]


def answer(question: str, found: list[Page], *, cite: bool) -> str:
    """Sentences of the pages that fit the question, with markers of where each comes from."""
    if not found:
        web = f"This is the local Venice: its web is {len(pages())} invented pages."
        return f"The search found nothing about this. {web}"
    wanted, said = words(question), []
    for number, page in enumerate(found, start=1):
        sentences = re.split(r"(?<=[.!?])\s+", plain(page["content"]))
        ranked = sorted(sentences, key=lambda sentence: -len(wanted & words(sentence)))
        best = ranked[: 3 if number == 1 else 1]
        mark = f"^{number}^" if cite else ""
        said += [sentence + mark for sentence in sentences if sentence in best]
    if len(found) > 1:
        said.append("The pages agree on the main points." + ("^1,2^" if cite else ""))
    return " ".join(said)


def citations(found: list[Page]) -> list[dict[str, Any]]:
    """The pages as Venice lists them beside an answer."""
    return [
        {name: page[name] for name in ("title", "url", "content", "date") if page.get(name)}
        for page in found
    ]
