"""The answers of the project in the working folder put into a model: `python -m tendero.rasa_jobs.reword BASE OUTPUT REPORT`.

BASE is a model that has learnt the same. Where it has not, the project is trained; REPORT gets what a training says, or {}.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import uuid
from pathlib import Path
from typing import Any

from bot.without_tensorflow import METADATA, leave_out_of_training
from tendero.rasa_jobs import prepare, train

DOMAIN = "domain.yml"  # of stock Rasa; our server takes the one in the metadata
FASTEST = 1  # of gzip: somebody waits, and only five are kept


def main(base: Path, output: Path, report: Path) -> int:
    prepare()
    try:
        is_done = reword(base, output)
    except Exception as error:  # whatever is wrong, a training finds it, too, and says it in words
        print(f"cannot be reworded: {error}", file=sys.stderr)  # noqa: T201
        is_done = False
    if not is_done:
        return train.main(output, report)
    report.write_text("{}", encoding="utf-8")
    return 0


def reword(base: Path, output: Path) -> bool:
    """False: more than words is new."""
    from bot.importer import TenderoImporter

    domain = TenderoImporter("config.yml", "domain.yml", ["data"], **_settings()).get_domain()
    with tarfile.open(base) as old:
        content = {member.name: (member, _read(old, member)) for member in old}
    name = next(each for each in content if each.lstrip("./") == METADATA)
    metadata = json.loads(content[name][1])
    if _apart_from_words(metadata["domain"]) != _apart_from_words(json.loads(json.dumps(domain.as_dict()))):
        return False
    metadata |= {"domain": domain.as_dict(), "model_id": uuid.uuid4().hex}
    content[name] = (content[name][0], json.dumps(metadata).encode())
    for each in [each for each in content if each.endswith(f"/{DOMAIN}")]:
        content[each] = (content[each][0], train.domain_as_yaml(domain).encode())
    output.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(output, "w:gz", compresslevel=FASTEST) as new:
        for member, data in content.values():
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return True


def _settings() -> dict[str, Any]:
    """Of our importer in config.yml."""
    from rasa.shared.utils.io import read_config_file

    ours = (each for each in read_config_file("config.yml").get("importers") or [] if each["name"].endswith(".TenderoImporter"))
    return {key: value for key, value in next(ours).items() if key != "name"}


def _apart_from_words(domain: dict[str, Any]) -> dict[str, Any]:
    return {**domain, "responses": sorted(domain["responses"])}


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file is not None else b""


if __name__ == "__main__":
    leave_out_of_training("config.yml")  # before Rasa is imported
    sys.exit(main(*map(Path, sys.argv[1:4])))
