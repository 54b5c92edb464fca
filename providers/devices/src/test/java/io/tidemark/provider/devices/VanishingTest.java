package io.tidemark.provider.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import org.junit.jupiter.api.Test;

class VanishingTest {
    private static final ProviderError GONE = new ProviderError.VolumeNotFound(VolumeId.of("zfs", "a"));

    private static ProviderException failure(String answer) {
        return new ProviderException(new ProviderError.Unexpected("test", answer));
    }

    private static boolean failing() throws ProviderException {
        throw failure("first");
    }

    @Test
    void answerOfACallThatSucceedsIsItsOwn() throws Exception {
        assertThat(Vanishing.unlessGone(() -> "answer", () -> false, GONE)).isEqualTo("answer");
    }

    @Test
    void failureIsToldAsSuchWhereTheObjectIsThere() {
        assertThatThrownBy(() -> Vanishing.unlessGone(VanishingTest::failing, () -> true, GONE))
                .hasMessageContaining("first");
        assertThatThrownBy(() -> Vanishing.untilGone(VanishingTest::failing, () -> true))
                .hasMessageContaining("first");
    }

    @Test
    void failureIsOfTheObjectOrNoneWhereThatIsGone() {
        assertThatThrownBy(() -> Vanishing.unlessGone(VanishingTest::failing, () -> false, GONE))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isEqualTo(GONE));
        assertThatCode(() -> Vanishing.untilGone(VanishingTest::failing, () -> false))
                .doesNotThrowAnyException();
    }

    /** A storage that does not answer has not lost the object. */
    @Test
    void lookThatFailsMakesNothingGone() {
        Vanishing.Look look = () -> {
            throw failure("second");
        };

        assertThatThrownBy(() -> Vanishing.unlessGone(VanishingTest::failing, look, GONE))
                .hasMessageContaining("first");
        assertThatThrownBy(() -> Vanishing.untilGone(VanishingTest::failing, look))
                .hasMessageContaining("first");
    }
}
