package io.tidemark.attach;

import io.tidemark.domain.ExportId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps a second attach or detach of an export off while one goes on. The file stays; the lock ends with its process. */
final class AttachLock implements AutoCloseable {
    private final FileChannel file;

    private AttachLock(FileChannel file) {
        this.file = file;
    }

    /**
     * @param folder of all attachments; exists
     * @throws AttachException where another holds it
     */
    static AttachLock of(Path folder, ExportId export) throws AttachException, IOException {
        var file =
                FileChannel.open(folder.resolve(export + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean held = false;
        try {
            held = file.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            // Another thread of this process has it.
            held = false;
        } finally {
            if (!held) {
                file.close();
            }
        }
        if (!held) {
            throw new AttachException(
                    "export %s is being attached or detached by somebody else".formatted(export),
                    "wait until that has ended, and try again");
        }
        return new AttachLock(file);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
