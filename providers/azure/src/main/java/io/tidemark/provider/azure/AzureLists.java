package io.tidemark.provider.azure;

import io.tidemark.provider.azure.Arm.Page;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Lists read to their end: of the configured groups one by one, or of the subscription at once. */
final class AzureLists {
    /** A list whose next page is refused is begun anew so often. */
    private static final int BEGINNINGS_MAXIMUM = 20;

    private final AzureConfig config;
    private final Attempts attempts;

    interface Pages<T> {
        Page<T> page(Optional<String> group, Optional<String> next) throws ProviderException;
    }

    AzureLists(AzureConfig config, Attempts attempts) {
        this.config = config;
        this.attempts = attempts;
    }

    <T> List<T> all(Pages<T> pages) throws ProviderException {
        var groups = config.listedGroups();
        if (groups.isEmpty()) {
            return of(Optional.empty(), pages);
        }
        var all = new ArrayList<T>();
        for (var group : groups) {
            all.addAll(of(Optional.of(group), pages));
        }
        return all;
    }

    <T> List<T> of(String group, Pages<T> pages) throws ProviderException {
        return of(Optional.of(group), pages);
    }

    private <T> List<T> of(Optional<String> group, Pages<T> pages) throws ProviderException {
        for (int beginning = 1; ; beginning++) {
            try {
                return once(group, pages);
            } catch (NextRefused e) {
                if (beginning == BEGINNINGS_MAXIMUM) {
                    throw e.failure;
                }
            }
        }
    }

    private <T> List<T> once(Optional<String> group, Pages<T> pages) throws ProviderException, NextRefused {
        var all = new ArrayList<T>();
        Optional<String> next = Optional.empty();
        for (int page = 0; page < Arm.PAGES_MAXIMUM; page++) {
            var at = next;
            try {
                var answer = attempts.until(() -> pages.page(group, at));
                all.addAll(answer.items());
                next = answer.next();
            } catch (ProviderException e) {
                if (at.isPresent() && e.error() instanceof ProviderError.Unexpected) {
                    throw new NextRefused(e);
                }
                throw e;
            }
            if (next.isEmpty()) {
                return all;
            }
        }
        throw new ProviderException(
                new ProviderError.Unexpected("a list", "%d pages and none the last".formatted(Arm.PAGES_MAXIMUM)));
    }

    /** The address of a next page is of no use any more. */
    private static final class NextRefused extends Exception {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        private final transient ProviderException failure;

        NextRefused(ProviderException failure) {
            super(failure);
            this.failure = failure;
        }
    }
}
