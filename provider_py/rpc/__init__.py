"""Terraform's plugin protocol on the wire: the only place that knows gRPC and `tfplugin6`.

Everything above works on models and trees (`provider_py.plugin`); here requests are decoded, delegated and answered.
`serve` is the way in; it is imported by its own name, because the handshake must not wait for the rest.
"""
