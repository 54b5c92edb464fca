/** Tests that run as root in a kernel of their own, with device-mapper, which no host needs to have. */
@NullMarked
package io.tidemark.system.lab;

import org.jspecify.annotations.NullMarked;
