package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.services.ebs.EbsClient;
import software.amazon.awssdk.services.ebs.model.ChecksumAggregationMethod;
import software.amazon.awssdk.services.ebs.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.ebs.model.CompleteSnapshotRequest;
import software.amazon.awssdk.services.ebs.model.ConflictException;
import software.amazon.awssdk.services.ebs.model.StartSnapshotRequest;
import software.amazon.awssdk.services.ebs.model.Tag;
import software.amazon.awssdk.services.ebs.model.ValidationException;

/**
 * The writing half of the EBS direct APIs (model 2019-11-02). All of it may be asked twice: the start has a token, a block
 * that is sent again overwrites itself.
 */
final class DirectWrites {
    /** An upload fails when no block came for so long; 3 days is the most that is allowed, and a host may be down. */
    private static final Duration IDLE = Duration.ofDays(3);

    private final EbsClient client;
    private final Attempts attempts;

    DirectWrites(EbsClient client, Attempts attempts) {
        this.client = client;
        this.attempts = attempts;
    }

    /** Nothing more can be written to the snapshot: it is completed, in error, was idle for too long, or its token is used up. */
    static final class UploadEnded extends Exception {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        UploadEnded(SdkException cause) {
            super(cause);
        }
    }

    private interface Call<T> {
        T ask() throws SdkException;
    }

    /**
     * @param token asks for one snapshot, however often it is sent with the same rest
     * @return its id
     */
    String start(long sizeGib, Optional<String> parent, String token, Map<String, String> tags)
            throws ProviderException, UploadEnded {
        var request = StartSnapshotRequest.builder()
                .volumeSize(sizeGib)
                .parentSnapshotId(parent.orElse(null))
                .clientToken(token)
                .timeout(Math.toIntExact(IDLE.toMinutes()))
                .description(EbsNames.description(tags))
                .tags(tags.entrySet().stream()
                        .map(each -> Tag.builder()
                                .key(each.getKey())
                                .value(each.getValue())
                                .build())
                        .toList())
                .build();
        return ask("StartSnapshot on " + parent.orElse("nothing"), () -> client.startSnapshot(request))
                .snapshotId();
    }

    /**
     * @param block of {@value DirectCalls#BLOCK_BYTES} bytes, not changed before the answer
     * @param digest its SHA-256
     */
    void put(String snapshot, int index, byte[] block, byte[] digest) throws ProviderException, UploadEnded {
        var checksum = Base64.getEncoder().encodeToString(digest);
        // Neither copied nor hashed once more: the header's checksum covers it.
        var body = RequestBody.fromContentProvider(
                ContentStreamProvider.fromByteArrayUnsafe(block), block.length, "application/octet-stream");
        var unused = ask(
                "PutSnapshotBlock %d of %s".formatted(index, snapshot),
                () -> client.putSnapshotBlock(
                        request -> request.snapshotId(snapshot)
                                .blockIndex(index)
                                .dataLength(block.length)
                                .checksum(checksum)
                                .checksumAlgorithm(ChecksumAlgorithm.SHA256),
                        body));
    }

    /** @param aggregate SHA-256 over the raw digests of all blocks that were put, in order of their indexes */
    void complete(String snapshot, int count, byte[] aggregate) throws ProviderException, UploadEnded {
        var request = CompleteSnapshotRequest.builder().snapshotId(snapshot).changedBlocksCount(count);
        if (count > 0) {
            request.checksum(Base64.getEncoder().encodeToString(aggregate))
                    .checksumAlgorithm(ChecksumAlgorithm.SHA256)
                    .checksumAggregationMethod(ChecksumAggregationMethod.LINEAR);
        }
        var unused = ask("CompleteSnapshot of " + snapshot, () -> client.completeSnapshot(request.build()));
    }

    private <T> T ask(String asked, Call<T> call) throws ProviderException, UploadEnded {
        Optional<T> answer;
        var ended = new SdkException[1];
        answer = attempts.until(() -> {
            try {
                return Optional.of(call.ask());
            } catch (ConflictException e) {
                ended[0] = e;
                return Optional.empty();
            } catch (ValidationException e) {
                if (isOver(e)) {
                    ended[0] = e;
                    return Optional.empty();
                }
                throw failure(asked, e);
            } catch (SdkException e) {
                throw DirectCalls.failure(asked, e);
            }
        });
        if (answer.isEmpty()) {
            throw new UploadEnded(ended[0]);
        }
        return answer.get();
    }

    private static boolean isOver(ValidationException answered) {
        var reason = String.valueOf(answered.reasonAsString());
        return reason.equals("WRITE_REQUEST_TIMEOUT") || reason.equals("INVALID_SNAPSHOT_ID");
    }

    /** Two puts of one block at once, of which the first was given up here: a moment later there is one. */
    private static ProviderException failure(String asked, ValidationException answered) {
        return "CONFLICTING_BLOCK_UPDATE".equals(answered.reasonAsString())
                ? new ProviderException(
                        new ProviderError.Unreachable("Amazon, for " + asked, AwsFailures.messageOf(answered)),
                        answered)
                : DirectCalls.failure(asked, answered);
    }
}
