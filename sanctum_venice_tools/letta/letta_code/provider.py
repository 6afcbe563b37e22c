"""Venice as the model behind Letta Code's agents: its provider here, and each agent's limits."""

import json
import os
import re
import secrets
import time
from pathlib import Path

from sanctum_venice_tools.letta.letta_code.program import LettaCode, LettaCodeError
from sanctum_venice_tools.letta.venice import ChatModel, ChoiceError, Venice, VeniceError

# Letta Code speaks to one endpoint of this kind on a machine.
PROVIDER = "openai-compatible"

# Its own instructions and tools take 108 kB of each request: with less room, the first turn is
# compacted, and what the person said is lost.
LEAST_WINDOW = 64_000

# It gives up on the list of models after this time, and then knows none.
LIST_SECONDS = 2.0


def choose_model(venice: Venice, wanted: str = "") -> ChatModel:
    """The model `wanted`, else the one that Venice recommends for functions, with room enough.

    That it sees does not count: Letta Code sends models of this provider no pictures.

    Raises:
        ChoiceError: There is no such model, or it has too small a window.
        VeniceError: Venice does not answer as it does.
    """
    if not wanted:
        roomy = [one for one in venice.chat_models(blind=True) if one.window >= LEAST_WINDOW]
        if not roomy:
            raise ChoiceError(
                f"No model of this Venice has the {LEAST_WINDOW:,} tokens that are needed."
            )
        return roomy[0]
    model = venice.choose_chat_model(wanted)
    if model.window < LEAST_WINDOW:
        told = f"{model.id} has a window of {model.window:,} tokens"
        raise ChoiceError(f"{told}; Letta Code needs {LEAST_WINDOW:,}. Choose another.")
    return model


def check_key(venice: Venice) -> None:
    """Refuse a key that Venice refuses: Letta Code itself tries none before the first message.

    Raises:
        VeniceError: It is no good, or no answer came.
    """
    verdict = venice.try_key()
    if verdict.state == "wrong":
        raise VeniceError(f"VENICE_API_KEY is no good: {verdict.told}")


def seconds_to_list(venice: Venice) -> float:
    """How long Venice takes for its list of models.

    Raises:
        VeniceError: No answer came.
    """
    started = time.monotonic()
    venice.ask("/models")
    return time.monotonic() - started


def other_service(code: LettaCode, venice: Venice) -> str:
    """The address of a service that Letta Code has in Venice's place, without a password; or ""."""
    try:
        kept = json.loads(_auth_file(code).read_text(encoding="utf-8"))
        address = str(kept["providers"][PROVIDER]["base_url"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""  # there is none, or none that Letta Code could read
    if address.rstrip("/") == venice.base_url:
        return ""
    return re.sub("//.*@", "//", address)


def keep_other_service(code: LettaCode) -> Path:
    """Keep what Letta Code knows of its services, for a key may be nowhere else; the file of that.

    Raises:
        LettaCodeError: It can't be kept.
    """
    file = _auth_file(code)
    kept = file.with_name(f"{file.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        _write_for_owner(kept, file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LettaCodeError(f"Nothing was changed, for {file} can't be kept: {error}.") from None
    return kept


def connect(code: LettaCode, venice: Venice) -> Path:
    """Tell Letta Code where Venice is, and the key; the file that it keeps them in.

    A command line can be seen by others on the machine, so there stands something else in the key's
    place; the key itself goes into the file, which is for its owner alone.

    Raises:
        LettaCodeError: It is not there, or does not do as it did.
    """
    stand_in = f"to-be-replaced-{secrets.token_hex(8)}"
    settings = ["--base-url", venice.base_url, "--api-key", stand_in]
    code.run("connect", PROVIDER, *settings)
    file = _auth_file(code)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        text = ""
    if stand_in not in text:
        told = "This Letta Code keeps its providers elsewhere than 0.34.12 does"
        raise LettaCodeError(
            f"{told}. Connect by hand: {code.program} connect {PROVIDER} --base-url ..."
        )
    in_quotes = json.dumps(venice.key)
    written_key = in_quotes.removeprefix('"').removesuffix('"')
    _write_for_owner(file, text.replace(stand_in, written_key))
    return file


def set_model(code: LettaCode, agent: str, model: ChatModel) -> None:
    """Have an agent think with a model, within its limits; else any would have 128,000 tokens.

    Raises:
        LettaCodeError: There is no such agent, or the model is not listed.
    """
    limits = {"context_window_limit": model.window, "max_tokens": model.output_tokens}
    handle = f"{PROVIDER}/{model.id}"
    where = ["--default", "--agent", agent]
    code.run("model", "set", handle, *where, "--model-settings", json.dumps(limits))


def _auth_file(code: LettaCode) -> Path:
    """Where Letta Code keeps the addresses and the keys of its services."""
    return code.backend_folder / "providers" / "auth.json"


def _write_for_owner(file: Path, text: str) -> None:
    """Write a file whole, for its owner alone."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
