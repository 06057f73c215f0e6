"""The server: HTTP/1.1 on 127.0.0.1, one a process."""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING

import boto3
import pytest

from local.aws import LocalAws


if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def connection(aws: LocalAws) -> Iterator[http.client.HTTPConnection]:
    """A plain HTTP connection to the server."""
    with closing(http.client.HTTPConnection(aws.url.removeprefix("http://"), timeout=10)) as connection:
        yield connection


def test_connections_stay_open(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/_local/health")
    connection.getresponse().read()
    used = connection.sock
    connection.request("GET", "/_local/health")
    assert connection.getresponse().read() == b'{"status": "ready"}'
    assert connection.sock is used


def test_a_client_that_asks_first_is_told_at_once_to_send(aws: LocalAws) -> None:
    host, port = aws.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        began = time.monotonic()
        client.sendall(b"POST /_local/reset HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        assert time.monotonic() - began < 0.9  # boto3 gives up waiting after a second
        client.sendall(b"x")
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_a_body_in_chunks_is_read_whole(aws: LocalAws, connection: http.client.HTTPConnection) -> None:
    fault = [b'{"operation": "s3:ListBuckets", ', b'"code": "SlowDown"}']
    connection.request(
        "POST", "/_local/faults", body=iter(fault), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
    )
    assert connection.getresponse().status == 200
    with pytest.raises(aws.client("s3").exceptions.ClientError, match="SlowDown"):
        aws.client("s3").list_buckets()


def test_head_has_the_length_but_not_the_body(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.put_object(Bucket=aws.settings.bucket, Key="key", Body=b"four")
    assert s3.head_object(Bucket=aws.settings.bucket, Key="key")["ContentLength"] == 4
    assert s3.get_object(Bucket=aws.settings.bucket, Key="key")["Body"].read() == b"four"


def test_it_listens_on_the_loopback_address_only(aws: LocalAws) -> None:
    port = int(aws.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_an_unknown_local_address_names_the_known_ones(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/_local/nonsense")
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"GET /_local/health" in answer.read()


def test_there_is_one_a_process(aws: LocalAws) -> None:
    with pytest.raises(RuntimeError, match="runs in this process already"):
        LocalAws().start()
    assert aws.client("sts").get_caller_identity()["Account"] == aws.settings.account_id


def test_it_has_no_address_before_it_runs() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = LocalAws().url


def test_a_plain_client_finds_it_through_the_environment(aws: LocalAws) -> None:
    assert boto3.client("s3").list_buckets()["Buckets"][0]["Name"] == aws.settings.bucket
    assert aws.session_env()["AWS_EC2_METADATA_DISABLED"] == "true"


def test_what_it_cannot_do_it_says(aws: LocalAws) -> None:
    with pytest.raises(aws.client("lambda").exceptions.ClientError, match="NotImplemented"):
        aws.client("lambda").invoke(FunctionName=aws.settings.function)
    with pytest.raises(aws.client("kinesis").exceptions.ClientError, match=r"\(501\)|NotImplemented"):
        aws.client("kinesis").describe_account_settings()


def test_a_refusal_of_athena_keeps_its_details(aws: LocalAws) -> None:
    athena = aws.client("athena")
    with pytest.raises(athena.exceptions.InvalidRequestException) as caught:
        athena.get_work_group(WorkGroup="missing")
    assert caught.value.response["AthenaErrorCode"] == "INVALID_INPUT"


def test_a_request_that_is_no_json_is_refused(aws: LocalAws, connection: http.client.HTTPConnection) -> None:
    scope = f"local/20250101/{aws.settings.region}/glue/aws4_request"
    headers = {"X-Amz-Target": "AWSGlue.GetTables", "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, x"}
    connection.request("POST", "/", body=b"{nonsense", headers=headers)
    answer = connection.getresponse()
    assert (answer.status, b"SerializationException" in answer.read()) == (400, True)
