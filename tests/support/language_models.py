"""Language models for tests without a network, and answers in the form that the product asks for."""

from typing import Any

from dialog.ports import ModelAnswer, ModelQuestion

NOTHING_UNDERSTOOD: dict[str, Any] = {
    "intents": [],
    "topic": "none",
    "service": "none",
    "practitioner": "none",
    "refused_practitioner": "none",
    "location": "none",
    "time_phrases": [],
    "option": 0,
    "for_whom": "none",
    "confidence": "high",
}


def understood(*intents: str, **fields: Any) -> dict[str, Any]:
    """Make a model's answer: these intents and details, everything else "none"."""
    return NOTHING_UNDERSTOOD | {"intents": list(intents)} | fields


class ScriptedModel:
    """A LanguageModel that answers, or raises, what its script says, and keeps the questions. An empty script is a bug."""

    def __init__(self, *script: dict[str, Any] | Exception) -> None:
        self.questions: list[ModelQuestion] = []
        self.deadlines_s: list[float] = []
        self._script = list(script)

    def propose(self, question: ModelQuestion, *, deadline_s: float) -> ModelAnswer:
        """Give the next answer of the script."""
        self.questions.append(question)
        self.deadlines_s.append(deadline_s)
        answer = self._script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return ModelAnswer(answer, tokens_in=1500, tokens_out=60)
