package io.tidemark.cli.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class PipedDeltaTest {
    @Test
    void fullNonBlockingPipeIsWaitedForWithoutSpinning() throws Exception {
        var attempts = new AtomicInteger();
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(50);
        var full = new WritableByteChannel() {
            @Override
            public int write(ByteBuffer bytes) {
                attempts.incrementAndGet();
                int count = System.nanoTime() < end ? 0 : bytes.remaining();
                bytes.position(bytes.position() + count);
                return count;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        };

        PipedDelta.begin(full, ByteBuffer.allocate(160)).close();

        assertThat(attempts).hasValueBetween(1, 60);
    }
}
