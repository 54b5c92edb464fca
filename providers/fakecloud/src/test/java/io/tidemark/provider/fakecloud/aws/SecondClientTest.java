package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.Loudly;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** AWS's own client for Python understands the fake: its answers are not merely what our client expects. */
class SecondClientTest extends ModelChecked {
    private static final int SECONDS_MAXIMUM = 60;
    private static final String SCRIPT = """
            import base64, boto3, hashlib, sys
            from botocore.config import Config
            from botocore.exceptions import ClientError
            url, volume = sys.argv[1:]
            ec2 = boto3.client('ec2', endpoint_url=url, config=Config(retries={'total_max_attempts': 1}))
            ebs = boto3.client('ebs', endpoint_url=url)
            tag = {'ResourceType': 'snapshot', 'Tags': [{'Key': 'a', 'Value': 'b'}]}
            for count in range(7):
                taken = ec2.create_snapshot(VolumeId=volume, TagSpecifications=[tag])
            assert taken['State'] == 'completed' and taken['Tags'] == tag['Tags'], taken
            pages = ec2.get_paginator('describe_snapshots').paginate(
                OwnerIds=['self'], Filters=[{'Name': 'tag:a', 'Values': ['b']}], PaginationConfig={'PageSize': 5})
            assert len([s for page in pages for s in page['Snapshots']]) == 7
            ec2.get_waiter('snapshot_completed').wait(SnapshotIds=[taken['SnapshotId']])
            locked = ec2.lock_snapshot(SnapshotId=taken['SnapshotId'], LockMode='governance', LockDuration=3)
            assert locked['LockState'] == 'governance' and locked['LockDuration'] == 3, locked
            for call, code in [
                    (lambda: ec2.delete_snapshot(SnapshotId=taken['SnapshotId']), 'SnapshotLocked'),
                    (lambda: ec2.create_snapshot(VolumeId=volume, DryRun=True), 'DryRunOperation'),
                    (lambda: ebs.list_snapshot_blocks(SnapshotId='snap-0abc'), 'ResourceNotFoundException')]:
                try:
                    call()
                    raise AssertionError(code)
                except ClientError as e:
                    assert e.response['Error']['Code'] == code, e.response
            block = bytes(range(256)) * 2048
            digest = hashlib.sha256(block).digest()
            made = ebs.start_snapshot(VolumeSize=1, Tags=tag['Tags'])['SnapshotId']
            ebs.put_snapshot_block(SnapshotId=made, BlockIndex=4, BlockData=block, DataLength=len(block),
                Checksum=base64.b64encode(digest).decode(), ChecksumAlgorithm='SHA256')
            done = ebs.complete_snapshot(SnapshotId=made, ChangedBlocksCount=1, ChecksumAlgorithm='SHA256',
                Checksum=base64.b64encode(hashlib.sha256(digest).digest()).decode(), ChecksumAggregationMethod='LINEAR')
            assert done['Status'] == 'completed', done
            listed = ebs.list_snapshot_blocks(SnapshotId=made)
            assert listed['BlockSize'] == 524288 and listed['ExpiryTime'].year == 2026, listed
            entry = listed['Blocks'][0]
            read = ebs.get_snapshot_block(SnapshotId=made, **{k: entry[k] for k in ('BlockIndex', 'BlockToken')})
            assert read['BlockData'].read() == block
            print('understood')
            """;

    @Test
    void boto3UnderstandsEveryAnswer() throws Exception {
        Loudly.needs(hasBoto3(), "python3 with boto3 is not installed");
        var volume = aws.createVolume(1, Map.of());

        assertThat(run("-c", SCRIPT, aws.endpoint().toString(), volume.id())).isEqualTo("understood\n");
    }

    private static boolean hasBoto3() throws InterruptedException {
        try {
            return run("-c", "import boto3").isEmpty();
        } catch (IOException absent) {
            return false;
        }
    }

    private static String run(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("python3"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .putAll(Map.of(
                        "AWS_ACCESS_KEY_ID", "fake",
                        "AWS_SECRET_ACCESS_KEY", "fake",
                        "AWS_EC2_METADATA_DISABLED", "true",
                        "AWS_DEFAULT_REGION", "eu-central-1"));
        var said = Files.createTempFile("second-client", ".txt");
        try {
            var process = builder.redirectOutput(said.toFile()).start();
            if (!process.waitFor(SECONDS_MAXIMUM, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                return "no end within %d s".formatted(SECONDS_MAXIMUM);
            }
            return Files.readString(said);
        } finally {
            Files.delete(said);
        }
    }
}
