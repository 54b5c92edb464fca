package io.tidemark.bootstrap;

import java.util.Optional;

/** What runs here, as other hosts are told. */
final class Software {
    static final String VERSION = Optional.ofNullable(
                    Software.class.getPackage().getImplementationVersion())
            .orElse("0.1.0");

    private Software() {}
}
