// In which language the chat's page is: as its address says, else as the browser does. The widget takes the nearest that it speaks.

document.documentElement.lang = new URLSearchParams(location.search).get("lang") ?? navigator.language;
