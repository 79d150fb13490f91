"""A mail server that asks for TLS and a password, as others would have it.

Arguments: certificate, key, mode (starttls, tls, plain), folder. Prints its port. Each letter becomes a file
in the folder. The receiver's name says what is done with it: `later@` is put off, `never@` refused.
"""

import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

certificate, key, mode, folder = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


class Handler:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("later@"):
            return "451 4.7.1 greylisted"
        if address.startswith("never@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Handler.count += 1
        name = os.path.join(folder, f"{Handler.count}.eml")
        with open(name + ".part", "wb") as file:
            file.write(f"X-Tls: {session.ssl is not None or mode == 'tls'}\n".encode())
            file.write(f"X-Rcpt: {','.join(envelope.rcpt_tos)}\n".encode())
            file.write(envelope.original_content)
        os.rename(name + ".part", name)
        return "250 OK queued as 4711"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"baro", b"secret-of-mail")
    # Not handled: the server itself says that it is refused.
    return AuthResult(success=good, handled=False)


async def main():
    loop = asyncio.get_running_loop()
    safe = mode != "plain"

    def factory():
        return SMTP(
            Handler(),
            hostname="mail.test",
            require_starttls=mode == "starttls",
            tls_context=context if mode == "starttls" else None,
            auth_required=safe,
            auth_require_tls=mode == "starttls",
            authenticator=authenticate if safe else None,
            auth_exclude_mechanism=["PLAIN"] if mode == "tls" else None,
        )

    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=context if mode == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
