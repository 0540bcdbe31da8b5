"""What runs in a process of its own, because importing Rasa takes seconds: `python -m tendero.rasa_jobs.<name>`."""
