/** What providers ask of their host: its programs, run without a shell and within limits, its locks, mounts and rights. */
@NullMarked
package io.tidemark.provider.commands;

import org.jspecify.annotations.NullMarked;
