package io.tidemark.provider.fakecloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where the models that vendors publish of their services lie, which are no part of this repository: where the system
 * property {@code tidemark.cloudModels} says, else in {@code ../shared/cloud-models} beside the repository.
 */
public final class PublishedModels {
    private static final String PROPERTY = "tidemark.cloudModels";

    private PublishedModels() {}

    /** Whether all of these files, named from the folder on, are at hand. */
    public static boolean available(String... files) {
        Path folder = folder();
        return folder != null && Arrays.stream(files).allMatch(each -> Files.isReadable(folder.resolve(each)));
    }

    /** A file that is {@link #available}, as JSON. */
    public static JsonNode read(String file) {
        try {
            return new ObjectMapper().readTree(path(file).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException("model " + path(file), e);
        }
    }

    /** A file or folder that is {@link #available}. */
    public static Path path(String file) {
        Path folder = folder();
        if (folder == null) {
            throw new IllegalStateException("no models: set -D" + PROPERTY);
        }
        return folder.resolve(file);
    }

    private static @Nullable Path folder() {
        String set = System.getProperty(PROPERTY);
        if (set != null) {
            return Path.of(set);
        }
        Path at = Path.of("").toAbsolutePath();
        while (at != null && !(Files.exists(at.resolve("tidemark")) && Files.isDirectory(at.resolve("providers")))) {
            at = at.getParent();
        }
        Path beside = at == null ? null : at.resolveSibling("shared").resolve("cloud-models");
        return beside != null && Files.isDirectory(beside) ? beside : null;
    }
}
