package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ebs.EbsClient;
import software.amazon.awssdk.services.ebs.model.EbsException;
import software.amazon.awssdk.services.ebs.model.ValidationException;

/** What we ask of the EBS direct APIs (model 2019-11-02), each repeated within {@link Attempts}: all only read, or name what they make. */
final class DirectCalls {
    /** The one size of block there is (EBS User Guide, "EBS direct APIs concepts"). */
    static final int BLOCK_BYTES = 524_288;
    /** Blocks a list names at a time, the most that is allowed. */
    private static final int LIST_MAXIMUM = 10_000;
    /** A list may have empty pages before its end; so many in a row is no list. */
    private static final int EMPTY_PAGES_MAXIMUM = 10_000;

    private final EbsClient client;
    private final Attempts attempts;

    DirectCalls(EbsClient client, Attempts attempts) {
        this.client = client;
        this.attempts = attempts;
    }

    /** @param token what a read of the block asks for */
    record Block(int index, String token) {}

    /** @param expiresAt when the tokens no longer serve */
    record Blocks(List<Block> blocks, Optional<String> next, Instant expiresAt) {}

    private record Answered(String checksum, ByteBuffer bytes) {}

    record Changed(List<Integer> indexes, Optional<String> next) {}

    /** Another page token is refused: the list has to begin anew from a block. */
    static final class PageExpired extends Exception {
        @java.io.Serial
        private static final long serialVersionUID = 1L;
    }

    /** Written blocks from one on; pages that are empty and not the last are passed over. */
    Blocks list(String snapshot, int from, Optional<String> next) throws ProviderException, PageExpired {
        var page = next;
        for (int empty = 0; empty < EMPTY_PAGES_MAXIMUM; empty++) {
            var token = page;
            var answer = paged(
                    "ListSnapshotBlocks of " + snapshot,
                    () -> client.listSnapshotBlocks(request -> request.snapshotId(snapshot)
                            .maxResults(LIST_MAXIMUM)
                            .startingBlockIndex(token.isPresent() ? null : from)
                            .nextToken(token.orElse(null))));
            page = Optional.ofNullable(answer.nextToken()).filter(text -> !text.isEmpty());
            if (!answer.blocks().isEmpty() || page.isEmpty()) {
                var blocks = answer.blocks().stream()
                        .map(each -> new Block(each.blockIndex(), each.blockToken()))
                        .toList();
                return new Blocks(blocks, page, answer.expiryTime());
            }
        }
        throw endless("ListSnapshotBlocks of " + snapshot);
    }

    Changed changed(String older, String newer, int from, Optional<String> next) throws ProviderException, PageExpired {
        var asked = "ListChangedBlocks of %s and %s".formatted(older, newer);
        var page = next;
        for (int empty = 0; empty < EMPTY_PAGES_MAXIMUM; empty++) {
            var token = page;
            var answer = paged(
                    asked,
                    () -> client.listChangedBlocks(request -> request.firstSnapshotId(older)
                            .secondSnapshotId(newer)
                            .maxResults(LIST_MAXIMUM)
                            .startingBlockIndex(token.isPresent() ? null : from)
                            .nextToken(token.orElse(null))));
            page = Optional.ofNullable(answer.nextToken()).filter(text -> !text.isEmpty());
            if (!answer.changedBlocks().isEmpty() || page.isEmpty()) {
                var indexes = answer.changedBlocks().stream()
                        .map(each -> each.blockIndex())
                        .toList();
                return new Changed(indexes, page);
            }
        }
        throw endless(asked);
    }

    /** @return the block's bytes, which have the checksum that came with them; empty where the token no longer serves */
    Optional<byte[]> block(String snapshot, Block block) throws ProviderException {
        var asked = "GetSnapshotBlock %d of %s".formatted(block.index(), snapshot);
        return attempts.until(() -> {
            try {
                // Into one array of its size: what collects an unknown length copies it three times.
                var answer = client.getSnapshotBlock(
                        request -> request.snapshotId(snapshot)
                                .blockIndex(block.index())
                                .blockToken(block.token()),
                        (response, body) -> new Answered(response.checksum(), ByteBuffer.wrap(whole(body))));
                var bytes = answer.bytes().array();
                check(asked, bytes, answer.checksum());
                return Optional.of(bytes);
            } catch (ValidationException e) {
                if ("INVALID_BLOCK_TOKEN".equals(e.reasonAsString())) {
                    return Optional.empty();
                }
                throw failure(asked, e);
            } catch (SdkException e) {
                throw failure(asked, e);
            }
        });
    }

    /** @return fewer bytes, or one more, where it was no block that came */
    private static byte[] whole(InputStream body) throws IOException {
        var bytes = new byte[BLOCK_BYTES];
        int count = body.readNBytes(bytes, 0, BLOCK_BYTES);
        if (count < BLOCK_BYTES) {
            return Arrays.copyOf(bytes, count);
        }
        return body.read() < 0 ? bytes : Arrays.copyOf(bytes, BLOCK_BYTES + 1);
    }

    /** Damage on the way is worth another try, so it is no {@code Corrupt}, which none is made after. */
    private static void check(String asked, byte[] bytes, String checksum) throws ProviderException {
        if (bytes.length != BLOCK_BYTES) {
            throw new ProviderException(new ProviderError.Unreachable(
                    "Amazon, for " + asked, "%d bytes came, of %d".formatted(bytes.length, BLOCK_BYTES)));
        }
        if (!checksumOf(ByteBuffer.wrap(bytes)).equals(checksum)) {
            throw new ProviderException(new ProviderError.Unreachable(
                    "Amazon, for " + asked, "the bytes that came have not the checksum that came with them"));
        }
    }

    static String checksumOf(ByteBuffer block) {
        return Base64.getEncoder().encodeToString(digestOf(block));
    }

    static byte[] digestOf(ByteBuffer block) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update(block.duplicate());
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    private <T> T paged(String asked, Supplier<T> call) throws ProviderException, PageExpired {
        var answer = attempts.until(() -> {
            try {
                return Optional.of(call.get());
            } catch (ValidationException e) {
                if ("INVALID_PAGE_TOKEN".equals(e.reasonAsString())) {
                    return Optional.<T>empty();
                }
                throw failure(asked, e);
            } catch (SdkException e) {
                throw failure(asked, e);
            }
        });
        return answer.orElseThrow(PageExpired::new);
    }

    /**
     * A snapshot may be unknown to these calls for some time after EC2 says that it is completed (coldsnap, issues 43 and
     * 141), and under load a read is answered with {@code INVALID_PARAMETER_VALUE} that is right a moment later (ops, pull
     * request 1268).
     */
    static ProviderException failure(String asked, SdkException failure) {
        boolean notYet = failure instanceof EbsException answered
                && "ResourceNotFoundException".equals(AwsFailures.codeOf(answered));
        boolean overloaded = failure instanceof ValidationException invalid
                && "INVALID_PARAMETER_VALUE".equals(invalid.reasonAsString());
        return notYet || overloaded
                ? new ProviderException(
                        new ProviderError.Unreachable("Amazon, for " + asked, AwsFailures.messageOf(failure)), failure)
                : AwsFailures.of(asked, failure);
    }

    private static ProviderException endless(String asked) {
        return new ProviderException(new ProviderError.Unexpected(
                asked, "%d pages in a row were empty and none the last".formatted(EMPTY_PAGES_MAXIMUM)));
    }
}
