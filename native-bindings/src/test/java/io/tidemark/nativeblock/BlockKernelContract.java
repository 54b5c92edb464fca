package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every kernel must do. */
abstract class BlockKernelContract {
    abstract BlockKernel kernel();

    static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    static byte[] random(long seed, int length) {
        var bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static byte[] bytes(ByteBuffer buffer) {
        var bytes = new byte[buffer.capacity()];
        buffer.duplicate().clear().get(bytes);
        return bytes;
    }

    private String hash(byte[] data, HashAlgorithm algorithm) {
        var digests = ByteBuffer.allocateDirect(algorithm.digestBytes());
        assertThat(kernel().hashBlocks(direct(data), 1 << 20, algorithm, digests))
                .isEqualTo(1);
        return HexFormat.of().formatHex(bytes(digests));
    }

    @Test
    void marksExactlyTheBlocksThatDiffer() {
        var left = random(1, 10 * 4096 + 7);
        var right = left.clone();
        right[0] ^= 1;
        right[3 * 4096 - 1] ^= 1;
        right[10 * 4096 + 6] ^= 1;
        var bits = ByteBuffer.allocateDirect(2);

        assertThat(kernel().diffBlocks(direct(left), direct(right), 4096, bits)).isEqualTo(3);

        assertThat(bytes(bits)).containsExactly(0b0000_0101, 0b0000_0100);
    }

    @Test
    void marksExactlyTheBlocksThatAreZero() {
        var data = random(2, 9 * 512 + 1);
        Arrays.fill(data, 512, 1024, (byte) 0);
        Arrays.fill(data, 8 * 512, 9 * 512, (byte) 0);
        data[9 * 512] = 0;
        data[9 * 512 - 1] = 1;
        var bits = ByteBuffer.allocateDirect(2);

        assertThat(kernel().zeroBlocks(direct(data), 512, bits)).isEqualTo(2);

        assertThat(bytes(bits)).containsExactly(0b0000_0010, 0b0000_0010);
    }

    @Test
    void oneBitmapCollectsSeveralCalls() {
        var same = direct(new byte[1024]);
        var bits = ByteBuffer.allocateDirect(1).put(0, (byte) 0b1000_0001);

        kernel().diffBlocks(same, same.duplicate(), 512, bits);

        assertThat(bits.get(0)).isEqualTo((byte) 0b1000_0001);
    }

    @Test
    void positionsAndLimitsBoundTheWorkAndDoNotMove() {
        var left = direct(random(3, 4096 + 10)).position(5).limit(4096 + 5);
        var right = direct(random(3, 4096 + 10)).position(5).limit(4096 + 5);
        right.put(4, (byte) ~right.get(4)).put(4096 + 5 - 1, (byte) ~right.get(4096 + 4));
        var bits = ByteBuffer.allocateDirect(4).position(2);
        var digests = ByteBuffer.allocateDirect(200).position(3);

        assertThat(kernel().diffBlocks(left, right, 512, bits)).isEqualTo(1);
        assertThat(kernel().hashBlocks(left, 512, HashAlgorithm.XXH3_128, digests))
                .isEqualTo(8);

        assertThat(bytes(bits)).containsExactly(0, 0, (byte) 0b1000_0000, 0);
        assertThat(left.position()).isEqualTo(5);
        assertThat(digests.position()).isEqualTo(3);
        assertThat(bytes(digests)[2]).isZero();
        assertThat(bytes(digests)[3 + 8 * 16]).isZero();
    }

    /** Vectors of `xxhsum -H2` 0.8.1 over the bytes (i * 31 + 7) mod 251, one for each path and edge of XXH3. */
    @ParameterizedTest
    @CsvSource({
        "1,495b62073ef70ca44c5cca45d0f4811f",
        "2,12b2847aa0de5aaaa7e250c97710ff27",
        "3,46f66cb93538156515f7093b173d005c",
        "4,7fefeeffb4d0eab3b987ca5d9241572a",
        "5,2fbb16712b4bf1d5752a86982353f4f3",
        "8,803c675a846cc6c256bb836ceb6d4baa",
        "9,365644c233ffe5c213af585c9bf5827d",
        "12,40d4cd441c999504f0a84df510a4da0e",
        "16,da917c385cc874c00d463cb04ceffbaf",
        "17,d443578f2c4e2fb495c34448580e19c8",
        "31,deb01d8ab3a909306841d88c0d471a16",
        "32,7e6bb3a654986c3373367e068a010989",
        "33,97fbf3ce109f139623a0b885a7dac302",
        "64,3515800f003ddbd064524fe2047012df",
        "65,7fd00229a220a25b3b589ad4300ec5d5",
        "96,0f5fdafe3c60a2ba6aaa14172a8f6957",
        "97,203fb0b6f9a8419aaedfb1405f779a9d",
        "128,22c34350373a38ae5b77925b2c683a12",
        "129,c4a7d8f7893f2090d6d9e73553568be1",
        "159,17f6464a68a4263ef9870ba424c5db9c",
        "160,3c1fd79640cf3c229df001f621092150",
        "161,0d36b5d3da1cd8f35d4e13a4bb87ee91",
        "192,40503b1b9d3d611e5f3d8d1c640eaa77",
        "239,9a032056470c2a3686bba9345dc34ac3",
        "240,e29d70b8920fd24bc6ed4333f79384f8",
        "241,f91b3cb8ed0fa91a07525dbc14902c7f",
        "255,95bf93be894101733e64256196c9377b",
        "256,6e4ce5e0d8c8f76fa49b06aa88ab05e1",
        "512,9e63fd6205e2ed7c6abf1d9f4b155d16",
        "1023,0789e58514a0668bfe4f1eaedb87b59b",
        "1024,f53a1b1e9f1efedfe2898655db7bc9ee",
        "1025,a906cca0f6e772a7134c652ba3d6fb9e",
        "1088,e3fdc658d13e0bb833aefff80de9aa91",
        "4095,c499a6f3211ca0bdb9ff40d72913fa0c",
        "4096,92c9e665ac5b016d04a1779c9e7ddcd7",
        "65536,0906745d5eda3e1e804c62b879e03431",
        "100001,37c4ace9aea03bfe5d5a2270bbe5f2c5"
    })
    void xxh3GivesWhatXxhsumPrints(int length, String expected) {
        var data = new byte[length];
        for (int i = 0; i < length; i++) {
            data[i] = (byte) ((i * 31 + 7) % 251);
        }

        assertThat(hash(data, HashAlgorithm.XXH3_128)).isEqualTo(expected);
    }

    /** FIPS 180-4 examples of NIST: one block, two blocks, and a million times 'a'. */
    @Test
    void sha256GivesWhatNistPublishes() {
        assertThat(hash("abc".getBytes(StandardCharsets.US_ASCII), HashAlgorithm.SHA_256))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assertThat(hash(
                        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".getBytes(StandardCharsets.US_ASCII),
                        HashAlgorithm.SHA_256))
                .isEqualTo("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        assertThat(hash("a".repeat(1_000_000).getBytes(StandardCharsets.US_ASCII), HashAlgorithm.SHA_256))
                .isEqualTo("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -4096, 0, 1, 256, 511, 513, 4095, (16 << 20) + 1, 32 << 20})
    void badBlockSizesAreRefused(int blockBytes) {
        var data = ByteBuffer.allocateDirect(4096);
        var out = ByteBuffer.allocateDirect(4096);
        for (var call : callsWith(data, blockBytes, out)) {
            assertThatIllegalArgumentException().isThrownBy(call::run).withMessageContaining("blockBytes");
        }
    }

    private List<Runnable> callsWith(ByteBuffer data, int blockBytes, ByteBuffer out) {
        var calls = new ArrayList<Runnable>();
        calls.add(() -> kernel().diffBlocks(data, data, blockBytes, out));
        calls.add(() -> kernel().zeroBlocks(data, blockBytes, out));
        for (var algorithm : HashAlgorithm.values()) {
            calls.add(() -> kernel().hashBlocks(data, blockBytes, algorithm, out));
        }
        return calls;
    }

    @Test
    void buffersThatAreTooSmallReadOnlyOrOnTheHeapAreRefused() {
        var data = ByteBuffer.allocateDirect(9 * 512);
        for (var bad : List.of(
                ByteBuffer.allocateDirect(1),
                ByteBuffer.allocateDirect(4096).asReadOnlyBuffer(),
                ByteBuffer.allocate(4096))) {
            for (var call : callsWith(data, 512, bad)) {
                assertThatIllegalArgumentException().isThrownBy(call::run);
            }
        }
        for (var call : callsWith(ByteBuffer.allocate(512), 512, ByteBuffer.allocateDirect(4096))) {
            assertThatIllegalArgumentException().isThrownBy(call::run).withMessageContaining("direct");
        }
    }

    @Test
    void unequalLengthsAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> kernel().diffBlocks(
                                ByteBuffer.allocateDirect(512),
                                ByteBuffer.allocateDirect(513),
                                512,
                                ByteBuffer.allocateDirect(1)))
                .withMessageContaining("512")
                .withMessageContaining("513");
    }

    @Test
    void readOnlyInputIsAccepted() {
        var data = direct(random(7, 512)).asReadOnlyBuffer();

        assertThat(kernel().zeroBlocks(data, 512, ByteBuffer.allocateDirect(1))).isZero();
    }

    @Test
    void noBytesAreNoBlocks() {
        var nothing = ByteBuffer.allocateDirect(0);

        assertThat(kernel().diffBlocks(nothing, nothing, 512, nothing)).isZero();
        assertThat(kernel().zeroBlocks(nothing, 512, nothing)).isZero();
        assertThat(kernel().hashBlocks(nothing, 512, HashAlgorithm.SHA_256, nothing))
                .isZero();
    }
}
