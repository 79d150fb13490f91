"""Says whether a message is one of its service, by what others have written about it.

The first argument names the service; standard input is JSON with `headers` and `body`.
"""

import importlib.resources
import json
import sys


def webhook(message):
    """The library of those who described Standard Webhooks."""
    from standardwebhooks.webhooks import Webhook

    secret = sys.argv[2]
    Webhook(secret).verify(message["body"], message["headers"])


def teams(message):
    """The schema that Microsoft publishes, for the version that the card names."""
    from jsonschema.validators import Draft6Validator

    [attachment] = json.loads(message["body"])["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    # What Teams adds to cards, for their width: the schema is that of all who show cards.
    assert card.pop("msteams") == {"width": "Full"}
    schemas = importlib.resources.files("adaptive_cards") / "schemas"
    schema = json.loads((schemas / f"schema-{card['version']}.json").read_text())
    Draft6Validator(schema).validate(card)


def slack(message):
    """The limits that Slack's own library knows."""
    from slack_sdk.models.attachments import BlockAttachment
    from slack_sdk.models.blocks import Block

    for attachment in json.loads(message["body"])["attachments"]:
        blocks = [Block.parse(block) for block in attachment["blocks"]]
        assert len(blocks) == len(attachment["blocks"]) and None not in blocks
        for block, sent in zip(blocks, attachment["blocks"]):
            block.validate_json()
            # What it does not know it drops.
            assert block.to_dict().keys() >= sent.keys(), sent
        BlockAttachment(blocks=blocks, color=attachment["color"]).validate_json()


{"webhook": webhook, "teams": teams, "slack": slack}[sys.argv[1]](json.load(sys.stdin))
