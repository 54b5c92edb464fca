package io.tidemark.provider.lvm;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** The devices of classic snapshots' stores, read past the page cache: the kernel writes them below it. */
class ClassicStores {
    /** What the kernel and every disk take: a mark and a header lie in one. */
    private static final int BLOCK_BYTES = 4096;

    private final String group;

    ClassicStores(String group) {
        this.group = group;
    }

    /** Name of the device, as LVM names it. */
    static String mapped(String group, String snapshot) {
        return LvmNames.mapped(group, snapshot) + "-cow";
    }

    interface Reading<T> {
        T read(ExceptionStore.Bytes bytes) throws ProviderException;
    }

    /** Whether the snapshot has been cut: its store says so. */
    boolean marked(LogicalVolume on, SnapshotId snapshot) throws ProviderException {
        return reading(on, bytes -> CutMark.isIn(bytes.read(0, BLOCK_BYTES), snapshot));
    }

    /** @throws ProviderException Conflict where the snapshot is not active */
    <T> T reading(LogicalVolume on, Reading<T> reading) throws ProviderException {
        var device = Path.of("/dev/mapper", mapped(group, on.name()));
        try (var channel = FileChannel.open(device, options())) {
            return reading.read(new DirectBytes(channel, device, on.sizeBytes()));
        } catch (NoSuchFileException e) {
            throw new ProviderException(inactive(group, on.store().origin()), e);
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("reading " + device, e.toString()), e);
        }
    }

    static ProviderError inactive(String group, String origin) {
        return new ProviderError.Conflict(
                "%s/%s".formatted(group, origin), "it is not active: lvchange -ay %s/%s".formatted(group, origin));
    }

    /** Asked of the JDK by name, for the class that has it is not of its documented interface. */
    private static OpenOption[] options() throws IOException {
        var options = new ArrayList<OpenOption>(List.of(StandardOpenOption.READ));
        try {
            for (var option :
                    Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants()) {
                if (option instanceof OpenOption open && option.toString().equals("DIRECT")) {
                    options.add(open);
                }
            }
        } catch (ClassNotFoundException e) {
            throw new IOException("this JDK cannot read past the page cache", e);
        }
        return options.toArray(OpenOption[]::new);
    }

    private record DirectBytes(FileChannel channel, Path device, long sizeBytes) implements ExceptionStore.Bytes {
        @Override
        public ByteBuffer read(long offsetBytes, int lengthBytes) throws ProviderException {
            var buffer = ByteBuffer.allocateDirect(lengthBytes + BLOCK_BYTES)
                    .alignedSlice(BLOCK_BYTES)
                    .slice(0, lengthBytes);
            try {
                while (buffer.hasRemaining()) {
                    int length = channel.read(buffer, offsetBytes + buffer.position());
                    if (length < 0) {
                        throw new ProviderException(new ProviderError.Corrupt(
                                device.toString(), "it ends at byte " + (offsetBytes + buffer.position())));
                    }
                }
            } catch (IOException e) {
                throw new ProviderException(new ProviderError.Unexpected("reading " + device, e.toString()), e);
            }
            return buffer.flip();
        }
    }
}
