package io.tidemark.cli;

import io.tidemark.attach.AttachException;
import io.tidemark.attach.Attachments;
import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "detach",
        sortOptions = false,
        description =
                "Flushes and takes away a block device that attach made. Needs no site but for what is not flushed.")
final class DetachCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "DEVICE", description = "The device, or the export's id.")
    private String device = "";

    @Option(names = "--list", description = "Show what is attached, and do nothing.")
    private boolean list;

    @Option(names = "--force", description = "Give up what cannot be flushed, where the site does not come back.")
    private boolean force;

    @Option(
            names = "--folder",
            paramLabel = "FOLDER",
            defaultValue = "${env:TIDEMARK_ATTACH_FOLDER:-" + AttachCommand.FOLDER_DEFAULT + "}",
            description = "As given to attach.")
    private Path folder = Path.of(AttachCommand.FOLDER_DEFAULT);

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean help;

    @Spec
    @SuppressWarnings("NullAway.Init") // the parser sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws ClientException {
        var out = spec.commandLine().getOut();
        try {
            var attachments = new Attachments(folder);
            if (list) {
                attachments.all().forEach(each -> out.printf("%s %s%n", each.device(), each.export()));
                return ExitCode.OK;
            }
            if (device.isEmpty()) {
                throw new ClientException(
                        new ClientError.Unusable("no device is named", "see what there is: tidemark detach --list"));
            }
            var attachment = attachments.find(device);
            attachments.detach(attachment, force);
            out.printf("%s detached%n", attachment.device());
            return ExitCode.OK;
        } catch (AttachException | IOException | InterruptedException e) {
            throw AttachCommand.refused(e);
        }
    }
}
