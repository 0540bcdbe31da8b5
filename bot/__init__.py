"""What runs inside the Rasa server."""

import os

# Rasa's telemetry is off also where stock `rasa` commands are called by hand; our own commands set the variable earlier.
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
