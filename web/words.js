// What the page says, by language. A new language is one more entry with the same keys; the switch lists what is here.
// {longest} is filled in by the page. The first language serves visitors whose own is not here.

export const words = {
  en: {
    name: "English",
    about: "About this page",
    headline: "Ask us anything about your order.",
    what: "Mercado Aurora’s assistant finds orders, starts returns, checks points and knows the catalogue, at any hour. When it takes a person, it brings one.",
    try: "Things to try",
    ideas: [
      "Do you have red running shoes in size 39?",
      "Where is my order 10232?",
      "I want to return the blue shirt from 10231",
      "How many points do I have?",
      "What time does the Madrid store open?",
    ],
    demo: "This is a demo: the shop and its customers are made up. If you are asked who you are, write emma@example.com. The command “tendero outbox” shows the code she gets.",
    presence: "Virtual assistant",
    language: "Language",
    startOver: "New conversation",
    sure: "Start a new conversation? This one is removed from this device.",
    keep: "Keep this one",
    conversation: "Conversation",
    welcome: "Hi! I’m the assistant of Mercado Aurora. Ask me about an order, a return, your points or something you’d like to buy.",
    write: "Write a message",
    send: "Send",
    you: "You:",
    shop: "Assistant:",
    choices: "Choices",
    chosen: "chosen",
    picture: "Picture from the shop",
    openPicture: "Open the picture",
    openFile: "Open the file",
    failed: "Not sent · Tap to retry",
    unanswered: "No reply arrived · Tap to send again",
    tooLong: "Too long: up to {longest} characters · Tap to shorten",
  },
  es: {
    name: "Español",
    about: "Sobre esta página",
    headline: "Pregunta lo que quieras sobre tu pedido.",
    what: "El asistente de Mercado Aurora encuentra pedidos, inicia devoluciones, revisa puntos y conoce el catálogo, a cualquier hora. Si hace falta una persona, te pasa con ella.",
    try: "Prueba con esto",
    ideas: [
      "¿Tienen tenis rojos en talla 39?",
      "¿Dónde está mi pedido 10202?",
      "Quiero devolver la camisa azul del 10201",
      "¿Cuántos puntos tengo?",
      "¿A qué hora abren en Madrid?",
    ],
    demo: "Es una demostración: la tienda y sus clientes son inventados. Si te pregunta quién eres, escribe ana@example.com. El comando «tendero outbox» muestra el código que le llega.",
    presence: "Asistente virtual",
    language: "Idioma",
    startOver: "Nueva conversación",
    sure: "¿Empezar una conversación nueva? Esta se borra de este dispositivo.",
    keep: "Seguir con esta",
    conversation: "Conversación",
    welcome: "¡Hola! Soy el asistente de Mercado Aurora. Pregúntame por un pedido, una devolución, tus puntos o algo que quieras comprar.",
    write: "Escribe un mensaje",
    send: "Enviar",
    you: "Tú:",
    shop: "Asistente:",
    choices: "Opciones",
    chosen: "elegida",
    picture: "Imagen de la tienda",
    openPicture: "Abrir la imagen",
    openFile: "Abrir el archivo",
    failed: "No se envió · Toca para reintentar",
    unanswered: "No llegó respuesta · Toca para enviar otra vez",
    tooLong: "Demasiado largo: hasta {longest} caracteres · Toca para acortarlo",
  },
};

/** The first of the visitor's languages ("es-MX", ...) that the page speaks. */
export function languageOf(wanted) {
  const spoken = wanted.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => Object.hasOwn(words, tag));
  return spoken ?? Object.keys(words)[0];
}
