"""The layers around every request, outermost first: security headers, request log, secure transport, CORS."""
