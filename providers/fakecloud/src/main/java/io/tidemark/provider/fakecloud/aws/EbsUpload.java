package io.tidemark.provider.fakecloud.aws;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A snapshot that is written block by block. Blocks may come on many threads at once. */
final class EbsUpload {
    /** A block and the digest that came with it and was true. */
    static final class Written {
        private final byte[] bytes;
        private final byte[] sha256;

        Written(byte[] bytes, byte[] sha256) {
            this.bytes = bytes;
            this.sha256 = sha256;
        }
    }

    private final Map<Integer, Written> written = new ConcurrentHashMap<>();
    private final Duration timeout;
    private final AtomicInteger notFoundLeft;
    private volatile Instant lastWrite;
    private volatile int progress;

    EbsUpload(Duration timeout, Instant started, int notFoundCalls) {
        this.timeout = timeout;
        this.lastWrite = started;
        this.notFoundLeft = new AtomicInteger(notFoundCalls);
    }

    /** Whether this call still finds no such snapshot; counts the call. */
    boolean notFoundYet() {
        return notFoundLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
    }

    /** Too long after the last block, or the start: StartSnapshot's Timeout. */
    boolean expired(Instant now) {
        return !now.isBefore(lastWrite.plus(timeout));
    }

    void put(int index, Written block, Instant now, int progressPercent) {
        written.put(index, block);
        lastWrite = now;
        progress = Math.max(progress, progressPercent);
    }

    int progressPercent() {
        return Math.min(progress, 99);
    }

    int count() {
        return written.size();
    }

    /** SHA-256 over the raw digests of the written blocks in ascending order: the aggregation LINEAR. */
    byte[] linearChecksum() {
        var digest = sha256();
        new TreeMap<>(written).values().forEach(block -> digest.update(block.sha256));
        return digest.digest();
    }

    /** The parent's content with what was written over it. */
    NavigableMap<Integer, byte[]> over(NavigableMap<Integer, byte[]> parent) {
        var whole = new TreeMap<>(parent);
        written.forEach((index, block) -> whole.put(index, block.bytes));
        return whole;
    }

    /** Lets go of the blocks, which the snapshot's content now holds. */
    void sealed() {
        written.clear();
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
