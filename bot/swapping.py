"""Another model for a server that runs: loaded and tried beside the one in use, then taken for the turns that begin afterwards.

A model that cannot be loaded, or cannot answer, changes nothing. For a moment there are two in memory.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from rasa.core.channels.channel import UserMessage

from bot.agent import TurnAgent
from bot.first_action import first_action
from bot.processor import SOMETHING, TurnProcessor
from bot.turn_handler import RasaHandler
from bot.without_tensorflow import missing
from messaging.turns import garbage
from messaging.turns.wishes import Refused, Wish, read_files_again

logger = logging.getLogger(__name__)

TURNS_END_WITHIN = 10.0  # seconds: by then the last turn with the old model has ended, and its memory is free


class Swapper:
    """models: the folder that models are taken from, and from no other. credentials: the file of the channels."""

    def __init__(self, agent: TurnAgent, handler: RasaHandler, models: Path, credentials: str | Path) -> None:
        self._agent = agent
        self._handler = handler
        self._models = models
        self._credentials = credentials
        self._tidying: asyncio.Task[None] | None = None

    async def fulfil(self, wish: Wish) -> str:
        """The model in use, which is another one if that was wished, with what is kept of the files read anew; both or neither.

        Raises Refused.
        """
        in_use = self._agent.model_name
        processor = None
        if wish.model is not None and wish.model != in_use:
            processor = await asyncio.to_thread(self._loaded, wish.model)
        await read_files_again()
        if processor is None:
            return in_use
        self._agent.go_on_with(processor)
        self._handler.processor = processor
        self._tidying = asyncio.get_running_loop().create_task(_tidy())
        return self._agent.model_name

    def _loaded(self, name: str) -> TurnProcessor:
        """Raises Refused."""
        began = time.perf_counter()
        model = self._models / Path(name).name
        try:
            lacking = missing(model, self._credentials)
            if lacking:
                raise Refused(f"it may need {_some(lacking)}, which this server was started without: start it anew")
            processor = self._agent.processor_of(model)
            asyncio.run(processor.warm_up())
            first_action(processor, asyncio.run(processor.parse_message(UserMessage(SOMETHING))))
        except Refused:
            raise
        except Exception as error:
            logger.exception("a model cannot be used", extra={"model": model.name})
            raise Refused(f"{model.name} cannot be used: {type(error).__name__}: {error}") from error
        logger.info("model loaded", extra={"model": model.name, "milliseconds": round((time.perf_counter() - began) * 1000)})
        return processor


async def _tidy() -> None:
    await asyncio.sleep(TURNS_END_WITHIN)
    garbage.leave_out_what_is_loaded()


def _some(packages: frozenset[str]) -> str:
    """The one that a person knows, of many."""
    return "TensorFlow" if "tensorflow" in packages else ", ".join(sorted(packages)[:3])
