package io.tidemark.agent.remote;

import io.tidemark.agent.PeerReplicator;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnector;
import io.tidemark.replication.protocol.InvitationToken;
import io.tidemark.replication.protocol.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Whose agent this host is, in {@code agent.json} of its state folder.
 *
 * @param agent its name at the controller
 * @param controller {@code host:port}, as the invitation named it
 * @param fingerprint of the controller's key; pinned
 */
public record Enrolment(String agent, String controller, String fingerprint) {
    private static final String FILE = "agent.json";
    private static final long BYTES_MAXIMUM = 64 << 10;

    /** @throws IOException naming the file when it cannot be read or is damaged */
    public static Optional<Enrolment> in(Path stateFolder) throws IOException {
        Path file = stateFolder.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            if (Files.size(file) > BYTES_MAXIMUM) {
                throw new IllegalArgumentException("larger than %d bytes".formatted(BYTES_MAXIMUM));
            }
            return Optional.of(AgentJson.read(AgentJson.parse(Files.readString(file)), Enrolment.class));
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException(
                    "%s is damaged (%s): remove it and enrol the agent again".formatted(file, e.getMessage()), e);
        }
    }

    /**
     * Goes to the controller with a one-time token, and writes down whose agent this host is from now on. Asked again
     * with the same token and key it answers the same.
     *
     * @throws ReplicationException InvitationRefused, PeerUnreachable, PeerNotTrusted
     */
    public static Enrolment enrol(String token, PeerConnector connector, Path stateFolder, String software)
            throws ReplicationException, IOException {
        var invitation = InvitationToken.parse(token);
        try (var connection = PeerReplicator.greet(
                connector, invitation.address(), invitation.fingerprint(), Message.Purpose.ENROL, software)) {
            connection.send(new Message.Pair(invitation.secret(), invitation.address()));
            var answer = PeerReplicator.await(connection, Message.Text.class);
            var name = AgentJson.parse(answer.json()).path("agent").asText();
            var enrolment = new Enrolment(name, invitation.address(), invitation.fingerprint());
            enrolment.write(stateFolder);
            return enrolment;
        } catch (IllegalArgumentException e) {
            throw new IOException("the controller's answer cannot be read: " + e.getMessage(), e);
        }
    }

    private void write(Path folder) throws IOException {
        Path fresh = folder.resolve(FILE + ".new");
        try (var channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            var bytes = ByteBuffer.wrap(AgentJson.text(AgentJson.tree(this)).getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(fresh, folder.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        try (var directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}
