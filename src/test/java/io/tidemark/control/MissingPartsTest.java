package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.agent.Providers;
import io.tidemark.agent.ProvidersElsewhere;
import io.tidemark.agent.Unlisted;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

class MissingPartsTest {
    private final StorageProvider ebs = provider("ebs");
    private final StorageProvider image = provider("image");

    private final Providers providers = new Providers(List.of(ebs, image)).and(new ProvidersElsewhere() {
        @Override
        public StorageProvider of(VolumeId volume) throws ProviderException {
            throw failure("it is not connected");
        }

        @Override
        public List<StorageProvider> reachable() {
            return List.of();
        }

        @Override
        public List<Unlisted> unreachable() {
            return List.of(Unlisted.agent("db1", "it is not connected"));
        }
    });

    private static StorageProvider provider(String name) {
        return new MemoryProvider(name, new MemoryStorage(), InstantSource.system(), System::nanoTime);
    }

    private static ProviderException failure(String reason) {
        return new ProviderException(new ProviderError.Denied("DescribeVolumes", reason));
    }

    @Test
    void aProviderThatFailsIsNamedBesideTheAgents() throws Exception {
        var missing = MissingParts.of(providers);
        missing.failed(ebs, failure("no credentials"));
        missing.answered();

        assertThat(missing.all(true))
                .containsExactly(
                        Unlisted.provider(
                                "ebs", failure("no credentials").error().message()),
                        Unlisted.agent("db1", "it is not connected"));
    }

    @Test
    void whereNobodyAnswersTheFirstFailureIsTheAnswer() {
        var missing = MissingParts.of(providers);
        missing.failed(ebs, failure("no credentials"));
        missing.failed(image, failure("no folder"));

        assertThatThrownBy(() -> missing.all(true)).hasMessageContaining("no credentials");
    }

    @Test
    void laterPagesNameWhoDoesNotAnswerThoughNobodyElseIsAsked() throws Exception {
        var missing = MissingParts.none();
        missing.failed(ebs, failure("no credentials"));

        assertThat(missing.all(false)).extracting(Unlisted::name).containsExactly("ebs");
    }

    @Test
    void nothingIsMissingWhereAllAnswered() throws Exception {
        var missing = MissingParts.none();
        missing.answered();

        assertThat(missing.all(true)).isEmpty();
        assertThat(MissingParts.none().all(true))
                .as("there is no provider at all")
                .isEmpty();
    }
}
