package io.tidemark.provider.fakecloud.aws;

import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;

/** SHA-256 of blocks, each hashed once as long as it lives: a block's array never changes. */
final class EbsDigests {
    /** Arrays are equal only to themselves. */
    private static final Map<byte[], byte[]> KNOWN = Collections.synchronizedMap(new WeakHashMap<>());

    private EbsDigests() {}

    static byte[] of(byte[] block) {
        byte[] known = KNOWN.get(block);
        if (known == null) {
            known = EbsUpload.sha256().digest(block);
            KNOWN.put(block, known);
        }
        return known;
    }
}
