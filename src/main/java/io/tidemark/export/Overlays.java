package io.tidemark.export;

import io.tidemark.domain.ExportId;
import io.tidemark.nativeblock.HostCalls;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Makes throw-away overlays in a folder. */
public final class Overlays {
    private static final String ENDING = ".overlay";

    private final Path folder;
    private final OverlayMeans means;

    private Overlays(Path folder, OverlayMeans means) {
        this.folder = folder;
        this.means = means;
    }

    /**
     * Removes what a dead process left there.
     *
     * @param folder of this process alone; exists
     * @param bytesMaximum what one overlay may take
     */
    public static Overlays in(Path folder, long bytesMaximum, Optional<HostCalls> host) throws IOException {
        try (var left = Files.newDirectoryStream(folder, "*" + ENDING)) {
            for (var file : left) {
                Files.delete(file);
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        var store = Files.getFileStore(folder);
        var memory = new SetMemory(SetMemory.BYTES_MAXIMUM);
        return new Overlays(folder, new OverlayMeans(bytesMaximum, store::getUsableSpace, memory, BlockSet::new, host));
    }

    /** @param base closed with the answer, and when this fails */
    ExportImage over(ExportImage base, ExportId id) throws IOException {
        return OverlayImage.over(base, folder.resolve(id + ENDING), means);
    }
}
