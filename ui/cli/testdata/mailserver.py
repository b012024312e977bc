"""A mail server for end-to-end tests, by aiosmtpd: STARTTLS and a login are asked
for, and each mail is kept in a folder as one JSON file. Some mailboxes have a
fate of their own, told by the part of their address before the @:

gone    refused for good (550)
later   refused for now (451)
full    refused for good once the mail is there (552)
cut     kept, and then the line is cut before the answer

Usage: mailserver.py FOLDER CERTIFICATE KEY USER PASSWORD. It prints the port.
"""

import asyncio
import base64
import hmac
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder, certificate, key, user, password = sys.argv[1:]


class Mailboxes:
    kept = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.partition("@")[0]
        if local == "gone":
            return "550 5.1.1 No such mailbox here"
        if local == "later":
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        locals_ = {address.partition("@")[0] for address in envelope.rcpt_tos}
        if "full" in locals_:
            return "552 5.2.2 Mailbox full"
        self.kept += 1
        path = os.path.join(folder, "%06d.json" % self.kept)
        with open(path + ".new", "w") as file:
            json.dump({
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "secure": session.ssl is not None,
                "login": session.auth_data.login.decode() if session.authenticated else "",
                "content": base64.b64encode(envelope.content).decode(),
            }, file)
        os.rename(path + ".new", path)
        if "cut" in locals_:
            server.transport.abort()
        return "250 OK: kept as %d" % self.kept


def authenticate(server, session, envelope, mechanism, data):
    known = hmac.compare_digest(data.login, user.encode()) and hmac.compare_digest(data.password, password.encode())
    return AuthResult(success=known, handled=False, auth_data=data)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    mailboxes = Mailboxes()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailboxes, hostname="localhost", tls_context=context, require_starttls=True,
                     authenticator=authenticate, auth_required=True, auth_require_tls=True, enable_SMTPUTF8=True),
        "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
