package io.tidemark.provider.fakecloud.aws;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Tokens of EBS direct: each says what it is for and when it ends, and none can be made by hand or used for another
 * purpose. Safe for several threads.
 */
final class EbsTokens {
    static final Duration BLOCK_LIFE = Duration.ofDays(7);
    static final Duration PAGE_LIFE = Duration.ofMinutes(60);
    private static final long SECRET = 0x5DEECE66D1234567L;

    private static final int LISTS_APART = 60_000;

    private final AtomicInteger lists = new AtomicInteger();
    private final Set<String> expired = ConcurrentHashMap.newKeySet();

    /** Of the blocks of one list: no two lists give the same tokens, so that one which was expired is not listed again. */
    Instant blocksExpire(Instant now) {
        return now.plus(BLOCK_LIFE).minusMillis(lists.getAndIncrement() % LISTS_APART);
    }

    String block(String snapshotId, int index, Instant expires) {
        return token("b|%s|%d".formatted(snapshotId, index), expires);
    }

    /** Of a page that begins at an index, of a list that {@code question} names. */
    String page(String question, int index, Instant now) {
        return token("p|%s|%d".formatted(question, index), now.plus(PAGE_LIFE));
    }

    void expire(String token) {
        expired.add(token);
    }

    boolean validBlock(String token, String snapshotId, int index, Instant now) {
        return block(snapshotId, index, expires(token)).equals(token) && alive(token, now);
    }

    /**
     * The index at which the page begins.
     *
     * @throws EbsException INVALID_PAGE_TOKEN, of a token that is none, is of another list, or has ended
     */
    int pageStart(String token, String question, Instant now) throws EbsException {
        String[] parts = parts(token);
        if (parts.length == 5 && parts[0].equals("p") && alive(token, now)) {
            int index = Integer.parseInt(parts[2]);
            if (token("p|%s|%d".formatted(question, index), expires(token)).equals(token)) {
                return index;
            }
        }
        throw EbsException.invalid("INVALID_PAGE_TOKEN", "The page token is not valid or has expired.");
    }

    private boolean alive(String token, Instant now) {
        return now.isBefore(expires(token)) && !expired.contains(token);
    }

    private static Instant expires(String token) {
        String[] parts = parts(token);
        try {
            return parts.length == 5 ? Instant.ofEpochMilli(Long.parseLong(parts[3])) : Instant.EPOCH;
        } catch (NumberFormatException e) {
            return Instant.EPOCH;
        }
    }

    private static String[] parts(String token) {
        try {
            return new String(Base64.getDecoder().decode(token), StandardCharsets.UTF_8).split("\\|", -1);
        } catch (IllegalArgumentException e) {
            return new String[0];
        }
    }

    private static String token(String purpose, Instant expires) {
        String text = purpose + "|" + expires.toEpochMilli();
        long seal = (text.hashCode() ^ SECRET) * 0x9E3779B97F4A7C15L;
        return Base64.getEncoder()
                .encodeToString((text + "|" + Long.toHexString(seal)).getBytes(StandardCharsets.UTF_8));
    }
}
