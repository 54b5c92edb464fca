package io.tidemark.cli.block;

import io.tidemark.block.BlockError;
import io.tidemark.block.BlockException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;

/** What each error means to a person at a terminal. */
final class Failures {
    private Failures() {}

    static CommandFailure of(BlockError error) {
        return new CommandFailure(BlockExit.BAD_INPUT, error.message(), advice(error));
    }

    static CommandFailure of(IOException error) {
        if (error.getCause() instanceof BlockException refused) {
            return of(refused.error());
        }
        return switch (error) {
            case NoSuchFileException missing ->
                new CommandFailure(BlockExit.BAD_INPUT, missing.getFile() + " does not exist", "check the path");
            case AccessDeniedException denied ->
                new CommandFailure(
                        BlockExit.INPUT_OUTPUT,
                        denied.getFile() + " may not be opened by this user",
                        "run as a user who may, for a block device usually root or group disk");
            case PipedDelta.Broken broken ->
                new CommandFailure(
                        BlockExit.INPUT_OUTPUT,
                        String.valueOf(broken.getMessage()),
                        "see what the command after the pipe said, or make room; apply refuses what it took");
            case FileSystemException other ->
                new CommandFailure(
                        BlockExit.INPUT_OUTPUT,
                        "%s: %s"
                                .formatted(
                                        other.getFile(),
                                        Optional.ofNullable(other.getReason()).orElse("failed")),
                        "check free space, the file system and the kernel's log");
            default ->
                new CommandFailure(
                        BlockExit.INPUT_OUTPUT,
                        String.valueOf(error.getMessage()),
                        "check free space, the file system and the kernel's log");
        };
    }

    static CommandFailure of(UncheckedIOException error) {
        var cause = error.getCause();
        return of(cause == null ? new IOException(error) : cause);
    }

    private static String advice(BlockError error) {
        return switch (error) {
            case BlockError.NotOfKind wrong ->
                wrong.kind().equals("delta")
                        ? "name a file made by tidemark block diff; the delta comes first, then the image"
                        : "name a file made by tidemark block index";
            case BlockError.UnknownVersion newer -> "use the version of tidemark that wrote it, or a newer one";
            case BlockError.Damaged damaged -> "make it again, or copy it again from where it was made";
            case BlockError.NotComparable differing ->
                "give --hash and --block-bytes as the index has them, or make a new index";
            case BlockError.WrongSize size -> "apply it to the image it was made for; a device must hold both sizes";
            case BlockError.NotTheBase other ->
                "apply it to the image it was made against, or say --force to write its blocks anyway";
            case BlockError.NotTheResult other ->
                "apply the delta to the image first, or make a new index of the image as it is";
            case BlockError.StrangeBlocks strange ->
                "someone wrote there, or a power cut tore a block: --force overwrites these blocks with the result's";
            case BlockError.ImageChanged changed ->
                "stop what writes to it or renames it, or use a snapshot of it, and run this again";
        };
    }
}
