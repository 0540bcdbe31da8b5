"""The command line of `bot.server`, apart from it: it is read before Rasa is imported."""

from __future__ import annotations

import argparse


def server_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bot.server", description="Rasa with Tendero's turn engine.")
    parser.add_argument("--model", required=True)
    parser.add_argument("--endpoints", default="endpoints.yml")
    parser.add_argument("--credentials", default="credentials.yml")
    parser.add_argument("-i", "--interface", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, default=5005)
    return parser.parse_args()
