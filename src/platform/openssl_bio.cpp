#include "platform/openssl_bio.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <new>

namespace procession::platform {

namespace {

int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(::BIO_get_data(bio)));
}

int moved(BIO* bio, ssize_t bytes, void (*retry)(BIO*)) {
  ::BIO_clear_retry_flags(bio);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) retry(bio);
  return static_cast<int>(bytes);
}

int send_to(BIO* bio, const char* bytes, int size) {
  errno = 0;
  const ssize_t sent = ::send(socket_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  return moved(bio, sent, [](BIO* one) { BIO_set_retry_write(one); });
}

int receive_from(BIO* bio, char* room, int size) {
  errno = 0;
  const ssize_t got = ::recv(socket_of(bio), room, static_cast<std::size_t>(size), 0);
  return moved(bio, got, [](BIO* one) { BIO_set_retry_read(one); });
}

long control(BIO* /*bio*/, int what, long /*number*/, void* /*more*/) {
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* const made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
  if (made == nullptr) throw std::bad_alloc();
  ::BIO_meth_set_write(made, send_to);
  ::BIO_meth_set_read(made, receive_from);
  ::BIO_meth_set_ctrl(made, control);
  return made;
}

}  // namespace

BIO* make_socket_bio(int socket) {
  static BIO_METHOD* const method = make_method();
  BIO* const made = ::BIO_new(method);
  if (made == nullptr) throw std::bad_alloc();
  ::BIO_set_data(made, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  ::BIO_set_init(made, 1);
  return made;
}

}  // namespace procession::platform
