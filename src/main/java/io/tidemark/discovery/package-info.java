/** From the database servers that run on this host to their files, mounts, devices and volumes, as a group. */
@NullMarked
package io.tidemark.discovery;

import org.jspecify.annotations.NullMarked;
