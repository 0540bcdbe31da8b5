"""Every kind of file that designers edit, with the shape that it has to have.

Policies, FAQ and mail have readers of their own, which know more of them: here it is only seen to that they can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tendero.yaml_shapes import (
    Problem,
    Shape,
    anything,
    either,
    expression,
    keys,
    list_of,
    names,
    problems_in,
    text,
    value,
)

_words = list_of(value)
_words_by_language = keys({}, others=_words)
_step_keys = ("intent", "user", "action", "active_loop", "slot_was_set", "requested_slot", "checkpoint", "entities", "or", "bot")
_step = either(ScalarNode, value, keys(dict.fromkeys(_step_keys, anything)))
_variation = keys(
    {
        "text": text,
        "buttons": list_of(keys(dict.fromkeys(("title", "payload", "url", "description", "section"), text), required=("title",))),
        "during_task": value,
        **dict.fromkeys(("image", "channel"), text),
        **dict.fromkeys(("custom", "attachment", "elements"), anything),
    },
)


def _examples(node: Node) -> Iterator[Problem]:
    """A block of lines, each of which begins with a hyphen; or a list."""
    if isinstance(node, SequenceNode):
        yield from list_of(anything)(node)
        return
    found = list(text(node))
    yield from found
    first = int(node.start_mark.line) + 2  # a block begins below its "|"
    for number, line in enumerate([] if found else str(node.value).splitlines(), first):
        if line.strip() and not line.lstrip().startswith("- "):
            yield Problem(number, f'an example has to begin with "- ": {line.strip()[:40]}')


RESPONSES = keys(
    {"version": value, "responses": names(r"utter_\w+", either(ScalarNode, text, list_of(_variation)), "an answer: utter_...")},
    required=("responses",),
)
LABELS = keys({"version": value}, others=text)
EXAMPLES = keys(
    {
        "version": value,
        "nlu": list_of(
            keys(
                {**dict.fromkeys(("intent", "synonym", "regex", "lookup"), text), "examples": _examples, "metadata": anything},
                required=("examples",),
            )
        ),
    },
    required=("nlu",),
)
RULES = keys(
    {
        "version": value,
        "rules": list_of(
            keys(
                {
                    "rule": text,
                    "condition": list_of(_step),
                    "steps": list_of(_step),
                    "conversation_start": value,
                    "wait_for_user_input": value,
                    "metadata": anything,
                },
                required=("rule", "steps"),
            )
        ),
        "stories": list_of(keys({"story": text, "steps": list_of(_step), "metadata": anything}, required=("story", "steps"))),
    }
)
ENTITIES = keys(
    {
        "language": text,
        "entities": keys({}, others=keys({}, others=_words)),
        "shapes": keys({}, others=list_of(expression)),
    }
)
OF_THEIR_OWN: dict[str, Shape] = {
    "faq/words.yml": keys(
        {"language": text, "synonyms": list_of(_words), "filler": _words, "not_questions": _words},
        required=("language",),
    ),
    "policies/desk.yml": keys({"desk": anything}, required=("desk",)),
    "policies/support.yml": keys({"calendar": keys({}, others=anything)}, required=("calendar",)),
    "patterns/catalogue.yml": keys(
        dict.fromkeys(
            "joining separating brand size of_size asking courtesy half measure dated exchanging sku numbered voucher parcel"
            " ordinary".split(),
            _words_by_language,
        ),
        required=("joining",),
    ),
    "patterns/joints.yml": keys(dict.fromkeys(("joints", "weak", "things"), _words_by_language), required=("joints",)),
    "patterns/languages.yml": keys({"telling_words": _words_by_language}, required=("telling_words",)),
    "patterns/opt_out.yml": keys({"opt_out": keys({}, others=_words_by_language)}, required=("opt_out",)),
    "patterns/personal.yml": keys({"personal": keys({}, others=_words_by_language)}, required=("personal",)),
    "patterns/secrets.yml": keys({"secrets": keys({}, others=_words_by_language)}, required=("secrets",)),
    "patterns/shown_along.yml": keys({"shown_along": keys({}, others=_words_by_language)}, required=("shown_along",)),
    "patterns/spoken_contacts.yml": keys({"spoken_contacts": keys({}, others=_words_by_language)}, required=("spoken_contacts",)),
}
_entry_keys = ("id", "question", "asked_as", "not_asked_as", "answer", "next", "intent")
FAQ = keys({"language": text, "faq": list_of(keys(dict.fromkeys(_entry_keys, anything)))}, required=("language", "faq"))
MAIL = keys({"mail": keys({}, others=keys({"subject": text, "body": text}, required=("subject", "body")))}, required=("mail",))
DEMO_PAGE = keys({"ideas": list_of(text)}, required=("ideas",), others=text)
ASKED_AGAIN = keys({"asks": _words, "facts": keys({}, others=_words)}, required=("asks", "facts"))
WIDGET = keys({"ideas": list_of(text)}, required=("ideas",), others=text)
DEMO = keys(
    {
        "language": text,
        "heading": text,
        "before": text,
        "people": keys({}, others=text),
        "try": list_of(keys({"as": text, "say": text, "shows": text}, required=("as", "say", "shows"))),
    },
    required=("language", "heading", "before", "people", "try"),
)
_named = list_of(either(MappingNode, keys({}, others=anything), text))
_slot_keys = ("mappings", "influence_conversation", "initial_value", "values", "min_value", "max_value")
_slot = keys({"type": text, **dict.fromkeys(_slot_keys, anything)}, required=("type",))
_form = keys({"required_slots": list_of(text), "ignored_intents": anything}, required=("required_slots",))
DOMAIN = keys(
    {
        "version": value,
        **dict.fromkeys(("intents", "entities", "actions"), _named),
        "slots": keys({}, others=_slot),
        "forms": keys({}, others=_form),
        "responses": keys({}, others=anything),
        "session_config": keys({"session_expiration_time": value, "carry_over_slots_to_new_session": value}),
        "config": keys({}, others=anything),
    }
)
_component = keys({"name": text}, required=("name",), others=anything)
CONFIG = keys(
    {
        "recipe": text,
        "assistant_id": text,
        "language": text,
        **dict.fromkeys(("importers", "pipeline", "policies"), list_of(_component)),
    },
    required=("pipeline", "policies"),
)
SETTINGS = keys({}, others=anything)
ENDPOINTS = keys({}, others=SETTINGS)


def shapes(project: Path) -> Iterator[tuple[Path, Shape]]:
    """Every file that designers edit, by folder, with its shape."""
    data = project / "data"
    for pattern, shape in (
        ("nlu/**/*.yml", EXAMPLES),
        ("responses/*/*.yml", RESPONSES),
        ("labels/*/*.yml", LABELS),
        ("rules/**/*.yml", RULES),
        ("stories/**/*.yml", RULES),
        ("patterns/*.yml", ENTITIES),
        ("demo/*.yml", DEMO),
        ("demo-page/*.yml", DEMO_PAGE),
        ("faq/*/*.yml", FAQ),
        ("policies/*.yml", SETTINGS),
        ("mail/*.yml", MAIL),
        ("widget/*.yml", WIDGET),
        ("desk/asked_again/*.yml", ASKED_AGAIN),
    ):
        folder = pattern.split("/")[0]
        yield from ((file, OF_THEIR_OWN.get(f"{folder}/{file.name}", shape)) for file in sorted(data.glob(pattern)))
    settings = (("domain.yml", DOMAIN), ("config.yml", CONFIG), ("endpoints.yml", ENDPOINTS), ("credentials.yml", SETTINGS))
    yield from ((project / name, shape) for name, shape in settings if (project / name).is_file())


def misshapen(project: Path) -> dict[Path, list[Problem]]:
    """The files that cannot be used as they are, and why."""
    found = {file: problems_in(file, shape) for file, shape in shapes(project)}
    return {file: problems for file, problems in found.items() if problems}


def overlooked(project: Path) -> Iterator[str]:
    """Files that look like one of these, and that are overlooked."""
    for file in sorted((project / "data").rglob("*.yaml")):
        yield f"{file}: its name has to end in .yml, or it is overlooked"
