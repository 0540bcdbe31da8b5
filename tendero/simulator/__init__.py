"""A WhatsApp Cloud API of our own on this machine: to try the assistant before there is a Meta account, and to test against.

`python -m tendero.simulator.server` is the process; `tendero simulate whatsapp` starts it beside the shop.
"""
