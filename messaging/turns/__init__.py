"""Turns: each inbound message gets exactly one, in order within its conversation, whatever happens to the process.

inbox.py    what came in, kept before it is acknowledged
engine.py   takes a conversation's next message, has it answered, saves all of it in one transaction
outbox.py   what goes out, in the order uttered
wishes.py   how a running server is told to take up a new model, or files that have changed
queues/     who works on which conversation when: in this process, or over several with PostgreSQL
"""
