"""Other desks: people who answer in a program of their own.

`other_desk` is what an adapter has to do; `forwarding` tells it what happens to handoffs, once and in order; `chatwoot` and
`webhook` are adapters, each with a channel of Rasa's for what comes back.
"""
