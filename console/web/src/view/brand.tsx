import icon from './icon.svg';

/** The product's name with its mark. */
export function Brand() {
  return (
    <span className="brand">
      <img src={icon} alt="" width="22" height="22" />
      Tidegate
    </span>
  );
}
