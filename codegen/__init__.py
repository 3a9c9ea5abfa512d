"""The build step: specifications in; generated clients, constructs and documentation out.

Its public face is the command line, `python -m codegen`. The provider never imports this package, and this package
names no vendor client: it reads specs/ and the provider's schema objects, and writes generated/ and the generated
pages of docs/ (`pin` and `refresh --write` alone write specs/). The provider imports the clients, so these are
generated first; see `codegen.build`.
"""
