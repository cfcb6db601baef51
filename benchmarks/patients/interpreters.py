"""Who interprets what patients say: the product's phrases and rules alone, or with the language model of the settings behind them."""

import tempfile
from enum import StrEnum
from os import environ

from kernel.config import ModelSettings, load_settings


class Which(StrEnum):
    LOCAL = "local"
    MODEL = "model"


def model_settings(which: Which) -> ModelSettings | None:
    """Return the model to ask, None for none. Raises SystemExit where one is wanted and none is set."""
    if which is Which.LOCAL:
        return None
    with tempfile.TemporaryDirectory() as folder:
        model = load_settings({**environ, "FRONTDESK_DATA": folder}).model
    if model is None:
        raise SystemExit("Set FRONTDESK_MODEL, and OPENAI_API_KEY or OPENAI_BASE_URL, to measure with a model.")
    return model
