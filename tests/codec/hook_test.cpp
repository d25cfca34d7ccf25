// Types that say themselves how they are encoded.
#include <map>
#include <memory>

#include "codec_support.hpp"

namespace bank {

// Hidden friends, private data.
class Account {
 public:
  Account() = default;
  explicit Account(long balance) : balance_(balance) {}
  long balance() const { return balance_; }
  bool operator==(const Account&) const = default;

 private:
  friend void encode(mp::Encoder& encoder, const Account& account) {
    mp::encode(encoder, account.balance_);
  }
  friend void decode(mp::Decoder& decoder, Account& account) {
    mp::decode(decoder, account.balance_);
  }
  long balance_ = 0;
};

// Free functions of the namespace, for an aggregate that would have an encoding anyway: they win.
struct Celsius {
  double degrees = 0;
};
void encode(mp::Encoder& encoder, const Celsius& value) {
  mp::encode(encoder, static_cast<short>(value.degrees * 10));
}
void decode(mp::Decoder& decoder, Celsius& value) {
  value.degrees = mp::decode<short>(decoder) / 10.0;
}

// A hook that is a template.
template <class T>
class Box {
 public:
  Box() = default;
  T content{};
};
template <class T>
void encode(mp::Encoder& encoder, const Box<T>& box) {
  mp::encode(encoder, box.content);
}
template <class T>
void decode(mp::Decoder& decoder, Box<T>& box) {
  mp::decode(decoder, box.content);
}

// Writes nothing at all.
class Silent {
 public:
  Silent() = default;
  friend void encode(mp::Encoder&, const Silent&) {}
  friend void decode(mp::Decoder&, Silent&) {}
};

enum class Coin { penny, pound };
void encode(mp::Encoder& encoder, const Coin& coin) { mp::encode(encoder, coin == Coin::pound); }
void decode(mp::Decoder& decoder, Coin& coin) {
  coin = mp::decode<bool>(decoder) ? Coin::pound : Coin::penny;
}

// Converts from anything: its encode must not be taken for that of everything else.
struct FromNumber {
  FromNumber() = default;
  FromNumber(double value) : number(value) {}
  double number = 0;
};
void encode(mp::Encoder& encoder, const FromNumber& value) { mp::encode(encoder, value.number); }
void decode(mp::Decoder& decoder, FromNumber& value) { mp::decode(decoder, value.number); }
struct ToNumber {
  int number = 0;
  operator double() const { return number; }
};

class Animal {
 public:
  virtual ~Animal() = default;
  int legs = 4;
  friend void encode(mp::Encoder& encoder, const Animal& animal) {
    mp::encode(encoder, animal.legs);
  }
  friend void decode(mp::Decoder& decoder, Animal& animal) { mp::decode(decoder, animal.legs); }
};
class Dog : public Animal {
 public:
  std::string name;
};

// Recursive through the hook.
class Chain {
 public:
  std::unique_ptr<Chain> next;

 private:
  friend void encode(mp::Encoder& encoder, const Chain& chain) { mp::encode(encoder, chain.next); }
  friend void decode(mp::Decoder& decoder, Chain& chain) { mp::decode(decoder, chain.next); }
};

}  // namespace bank

namespace {

using namespace codec_test;
using namespace bank;

TEST(Hook, IsUsedAloneAndInside) {
  EXPECT_EQ(round_trip(Account(5)), Account(5));
  EXPECT_EQ(round_trip(std::vector<Account>{Account(1), Account(2)}).at(1), Account(2));
  EXPECT_EQ((round_trip(std::map<int, Account>{{1, Account(7)}}).at(1)), Account(7));
  struct Holder {
    Account account;
    std::unique_ptr<Account> more;
  };
  EXPECT_EQ(round_trip(Holder{Account(3), nullptr}).account, Account(3));
}

TEST(Hook, GoesBeforeTheCodecsOwnWay) {
  EXPECT_EQ(encoded(Celsius{36.6}).size(), 2U);
  EXPECT_DOUBLE_EQ(round_trip(Celsius{36.6}).degrees, 36.6);
  EXPECT_EQ(encoded(Coin::pound).size(), 1U);
  EXPECT_EQ(round_trip(Coin::pound), Coin::pound);
}

TEST(Hook, MayBeATemplate) {
  Box<std::string> box;
  box.content = "x";
  EXPECT_EQ(round_trip(box).content, "x");
  static_assert(mp::Encodable<Box<Account>>);
}

TEST(Hook, MayWriteNothing) {
  EXPECT_TRUE(encoded(Silent()).empty());
  EXPECT_EQ(round_trip(std::vector<Silent>(3)).size(), 3U);
  // The length is still believed only as far as there are bytes.
  EXPECT_THROW(decoded<std::vector<Silent>>(bytes_of({255, 255, 255, 255, 255, 255, 255, 1, 0})),
               mp::DecodeError);
}

TEST(Hook, OfAnotherTypeIsNotTaken) {
  EXPECT_EQ(encoded(ToNumber{4}).size(), sizeof(int));
  EXPECT_EQ(round_trip(ToNumber{4}).number, 4);
  EXPECT_EQ(round_trip(FromNumber(2.5)).number, 2.5);
}

TEST(Hook, OfABaseClassIsNotTaken) {
  static_assert(mp::Encodable<Animal>);
  static_assert(!mp::Encodable<Dog>);
  EXPECT_EQ(round_trip(Animal()).legs, 4);
}

TEST(Hook, CountsAsALevel) {
  Chain chain;
  for (int i = 0; i != 1000; ++i) {
    auto next = std::make_unique<Chain>();
    next->next = std::move(chain.next);
    chain.next = std::move(next);
  }
  EXPECT_THROW(encoded(chain), std::invalid_argument);
  EXPECT_THROW(decoded<Chain>(Bytes(100000, std::byte{1})), mp::DecodeError);
}

}  // namespace
