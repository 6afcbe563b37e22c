"""Checks of what an operator sets: limits of time and money, and models.

What the tools go by where nothing is set, and in which form they read a setting, stands in runtime/
alone.
"""

from collections.abc import Mapping

from sanctum_venice_tools.letta.doctor.outcome import Outcome, State, failure, ok, warning
from sanctum_venice_tools.letta.doctor.patient import MODEL_SETTINGS, Patient
from sanctum_venice_tools.letta.venice import drawback
from sanctum_venice_tools.runtime.money import _AMOUNT, _USUAL_LIMIT_USD
from sanctum_venice_tools.runtime.venice import _USUAL_SECONDS, _WHOLE_SECONDS

# Letta ends a tool after 180 s unless TOOL_SANDBOX_TIMEOUT says otherwise; a tool needs some of it
# to wind up.
SANDBOX_SECONDS = 180


def check_tool_seconds(patient: Patient) -> Outcome:
    """Whether tools end by themselves before Letta ends them."""
    given = patient.settings.get("VENICE_TOOL_SECONDS")
    if given is None:
        return ok(f"not set: tools end by themselves after {_USUAL_SECONDS} s")

    advice = f"Set it to a whole number of seconds up to {_USUAL_SECONDS}, or unset it"
    if not _WHOLE_SECONDS.fullmatch(given):
        return failure(
            f"{given!r:.40} is no whole number of seconds, so tools take {_USUAL_SECONDS}",
            f"{advice}.",
        )
    if int(given) > _USUAL_SECONDS:
        told = f"{given} s leaves a tool little of the {SANDBOX_SECONDS} s that Letta gives it"
        return warning(told, f"{advice}; or raise TOOL_SANDBOX_TIMEOUT of the server.")
    return ok(f"{given} s")


def check_max_usd(patient: Patient) -> Outcome:
    """Whether the limit of what a film, a sound or speech may cost is a number, or lifted."""
    given = patient.settings.get("VENICE_MAX_USD")
    if given is None:
        return ok(f"not set: a film, piece of music or speech may cost {_USUAL_LIMIT_USD:g} USD")
    if given.lower() == "none":
        return ok("none: one film, piece of music or speech may cost anything")
    if not _AMOUNT.fullmatch(given):
        told = f"{given!r:.40} is no number of dollars, so no film, music or speech is made"
        forms = "Set it to a number such as 1.50, or to none for no limit"
        return failure(told, f"{forms}; unset, it is {_USUAL_LIMIT_USD:g}.")
    return ok(f"a film, piece of music or speech may cost {float(given):g} USD")


def check_models(patient: Patient) -> Outcome:
    """Whether the models that are named are there, and fit."""
    named = {name: patient.settings[name] for name in MODEL_SETTINGS if name in patient.settings}
    if not named:
        return ok("none is set: those that Venice recommends are taken")

    outcomes = {name: _look_at_model(patient, name, wanted) for name, wanted in named.items()}
    if failed := _those_that_ended(outcomes, "failure"):
        return failure(
            ". ".join(failed.values()), f"Choose another, or unset: {', '.join(failed)}."
        )
    if unwise := _those_that_ended(outcomes, "warning"):
        return warning(
            ". ".join(unwise.values()), f"Choose another, or unset: {', '.join(unwise)}."
        )
    return ok(f"{', '.join(named.values())}: there, and fit")


def _those_that_ended(outcomes: Mapping[str, Outcome], state: State) -> dict[str, str]:
    """The settings whose models are in this state, each with what is to be said of it."""
    return {name: outcome.told for name, outcome in outcomes.items() if outcome.state == state}


def _look_at_model(patient: Patient, setting: str, wanted: str) -> Outcome:
    """Whether a setting names a model that is there and fit; the advice is the caller's."""
    kind, capability = MODEL_SETTINGS[setting]
    for entry in patient.need_venice().models(kind):
        spec = entry.model_spec
        if wanted not in (entry.id, *(spec.traits or [])):
            continue
        if spec.offline:
            return failure(f"{wanted} is offline")
        if capability and not getattr(spec.capabilities, capability, False):
            return failure(f"{wanted} can't do it ({capability})")
        if drawback(entry):
            return warning(f"{wanted} is there, but {drawback(entry)}", "")
        return ok("")
    return failure(f"Venice has no {kind} model {wanted!r:.80}")
