"""The conversations of the benchmark: what shoppers come for, in both languages. Nothing is confirmed: they leave no trace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Script:
    """customer: whose e-mail the sender has proven; texts: what is written, turn by turn."""

    name: str
    customer: str
    texts: tuple[str, ...]


SCRIPTS = (
    Script(
        "orders, Spanish",
        "ana@example.com",
        ("hola", "¿dónde está mi pedido 10202?", "muéstrame mis pedidos", "quiero cancelar el pedido 10203", "no", "gracias"),
    ),
    Script(
        "orders, English",
        "emma@example.com",
        ("hello", "where is my order 10232?", "show me my orders", "I want to cancel order 10233", "no", "thank you"),
    ),
    Script(
        "a return, Spanish",
        "ana@example.com",
        (
            "buenas tardes",
            "quiero devolver la camisa azul del pedido 10201, me queda chica",
            "¿cuánto cuesta el envío?",
            "déjalo",
            "gracias",
        ),
    ),
    Script(
        "a return, English",
        "emma@example.com",
        (
            "hi",
            "I want to return the blue shirt from order 10231, it's too small",
            "how much does shipping cost?",
            "never mind",
            "thanks",
        ),
    ),
    Script("points, Spanish", "ana@example.com", ("¿cuántos puntos tengo?", "quiero canjear 1000 puntos", "no", "adiós")),
    Script("points, English", "emma@example.com", ("how many points do I have?", "I want to redeem 1000 points", "no", "bye")),
    Script(
        "questions, Spanish",
        "ana@example.com",
        ("hola", "¿a qué hora abren en Madrid?", "¿cómo puedo pagar?", "¿hacen envíos a otros países?", "gracias"),
    ),
    Script(
        "questions, English",
        "emma@example.com",
        ("hello", "what time does the Madrid store open?", "how can I pay?", "do you ship to other countries?", "thanks"),
    ),
)

# Of these a long conversation is made: after each of them nothing is under way, wherever it is cut.
REPEATED_IN_LONG = ("hola", "¿dónde está mi pedido 10202?", "muéstrame mis pedidos", "¿cuántos puntos tengo?", "gracias")
MEASURED_IN_LONG = ("¿a qué hora abren en Madrid?", "¿dónde está mi pedido 10202?")  # turns of a long conversation
